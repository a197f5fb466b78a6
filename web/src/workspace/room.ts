/** Where there is room for one more pane. Pure. */
import { type Edge, insert, type Node, type Pane } from "./layout";
import { type Box, slotsOf } from "./slots";

/** What a pane needs at least, in px. */
const LEAST = { width: 260, height: 220 };

/** The workspace's extent on the screen, in px. */
export interface Area {
  width: number;
  height: number;
}

export interface Spot {
  beside: string;
  edge: Edge;
}

const acrossFrom = (edge: Edge): Edge => (edge === "left" || edge === "right" ? "bottom" : "right");

/** The wanted place, if the panes stay large enough; else the largest pane is divided, the other way first. `null`: no room. */
export function spotFor(root: Node, area: Area, wanted: Spot): Spot | null {
  const largest = slotsOf(root).toSorted((a, b) => b.box.width * b.box.height - a.box.width * a.box.height);
  const others = [acrossFrom(wanted.edge), wanted.edge].flatMap((edge) => largest.map(({ pane }): Spot => ({ beside: pane.id, edge })));
  return [wanted, ...others].find((spot) => fits(root, area, spot)) ?? null;
}

/** No pane becomes too small by it; one that is so already may stay as it is. */
function fits(root: Node, area: Area, { beside, edge }: Spot): boolean {
  const added: Pane = { kind: "pane", id: "", session: "", fresh: true };
  const before = boxesOf(root);
  const after = boxesOf(insert(root, beside, edge, added, ""));
  return [...after].every(([id, box]) =>
    (["width", "height"] as const).every((side) => (box[side] * area[side]) / 100 >= LEAST[side] || box[side] >= (before.get(id)?.[side] ?? Number.POSITIVE_INFINITY)),
  );
}

const boxesOf = (root: Node): Map<string, Box> => new Map(slotsOf(root).map(({ pane, box }) => [pane.id, box]));

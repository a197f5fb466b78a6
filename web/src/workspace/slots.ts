/** Where each pane of a layout stands. Pure. */
import type { Node, Pane, Split } from "./layout";

/** In per cent of the workspace. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The line before a child of a split; moving it resizes the two at its sides. */
export interface Bar {
  split: string;
  at: number;
  direction: Split["direction"];
  /** The whole split. */
  within: Box;
  /** In per cent of the split: where the line is, the share of the child before it, and that of both at its sides. */
  start: number;
  share: number;
  both: number;
  /** The panes before the line. */
  controls: string[];
}

interface Slot {
  pane: Pane;
  box: Box;
  /** Every pane but the first one begins behind exactly one line. */
  bar: Bar | null;
}

const whole: Box = { x: 0, y: 0, width: 100, height: 100 };

/**
 * The panes in their order. The order of two panes never changes while both are open, so elements that are rendered in
 * it stay where they are in the document: nothing loses its focus or its scroll position by a split.
 */
export function slotsOf(node: Node, box: Box = whole, bar: Bar | null = null): Slot[] {
  if (node.kind === "pane") return [{ pane: node, box, bar }];
  let from = 0;
  return node.children.flatMap((child, at) => {
    const size = node.sizes[at] ?? 0;
    const start = from;
    from += size;
    const part = partOf(node, box, start, size);
    return slotsOf(child, part, at === 0 ? bar : barOf(node, at, start, box));
  });
}

function partOf({ direction }: Split, { x, y, width, height }: Box, from: number, size: number): Box {
  if (direction === "horizontal") return { x: x + (width * from) / 100, y, width: (width * size) / 100, height };
  return { x, y: y + (height * from) / 100, width, height: (height * size) / 100 };
}

function barOf(split: Split, at: number, start: number, within: Box): Bar {
  const share = split.sizes[at - 1] ?? 0;
  const controls = slotsOf(split.children[at - 1]!).map(({ pane }) => pane.id);
  return { split: split.id, at, direction: split.direction, within, start, share, both: share + (split.sizes[at] ?? 0), controls };
}

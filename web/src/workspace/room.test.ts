import { expect, test } from "vitest";
import { insert, type Node, type Pane } from "./layout";
import { spotFor } from "./room";

const pane = (id: string): Pane => ({ kind: "pane", id, session: id, fresh: false });
const row = (...ids: string[]): Node => ids.slice(1).reduce<Node>((root, id, index) => insert(root, ids[index]!, "right", pane(id), "s"), pane(ids[0]!));

test("a pane opens where it is wanted while there is room", () => {
  expect(spotFor(row("a"), { width: 736, height: 768 }, { beside: "a", edge: "right" })).toEqual({ beside: "a", edge: "right" });
});

test("where the panes would be too narrow, the largest is divided the other way", () => {
  expect(spotFor(row("a", "b"), { width: 736, height: 768 }, { beside: "b", edge: "right" })).toEqual({ beside: "a", edge: "bottom" });
  const uneven: Node = { ...(row("a", "b") as Node & { kind: "split" }), sizes: [40, 60] };
  expect(spotFor(uneven, { width: 736, height: 768 }, { beside: "a", edge: "right" })).toEqual({ beside: "b", edge: "bottom" });
});

test("where they would be too low, one is opened to the side", () => {
  expect(spotFor(row("a"), { width: 736, height: 400 }, { beside: "a", edge: "bottom" })).toEqual({ beside: "a", edge: "right" });
});

test("there is no room where no pane can be divided", () => {
  expect(spotFor(row("a"), { width: 500, height: 430 }, { beside: "a", edge: "right" })).toBeNull();
});

test("a pane that is too narrow already hinders no other one", () => {
  const uneven: Node = { ...(row("a", "b") as Node & { kind: "split" }), sizes: [20, 80] };
  expect(spotFor(uneven, { width: 736, height: 768 }, { beside: "b", edge: "right" })).toEqual({ beside: "b", edge: "bottom" });
});

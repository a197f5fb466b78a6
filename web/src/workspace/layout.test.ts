import { expect, test } from "vitest";
import { insert, isLayout, moveBar, type Node, type Pane, panesOf, remove, type Split } from "./layout";
import { placeOf } from "./places";
import { slotsOf } from "./slots";

const pane = (id: string): Pane => ({ kind: "pane", id, session: `session ${id}`, fresh: false });
const split = (id: string, direction: Split["direction"], children: Node[], sizes: number[]): Split => ({ kind: "split", id, direction, children, sizes });
const ids = (node: Node | null) => (node ? panesOf(node).map(({ id }) => id) : []);

const two = insert(pane("a"), "a", "right", pane("b"), "s");
const below = insert(two, "b", "bottom", pane("c"), "t");

test("a pane beside the only one makes a split, before or behind it", () => {
  expect(two).toEqual(split("s", "horizontal", [pane("a"), pane("b")], [50, 50]));
  expect(ids(insert(pane("a"), "a", "top", pane("b"), "s"))).toEqual(["b", "a"]);
});

test("beside siblings of the same direction a pane becomes one of them", () => {
  const three = insert(two, "a", "right", pane("c"), "t") as Split;
  expect(ids(three)).toEqual(["a", "c", "b"]);
  expect(three.children).toHaveLength(3);
  expect(three.sizes.reduce((sum, size) => sum + size)).toBeCloseTo(100);
});

test("across the direction of its siblings a pane shares the place of one of them", () => {
  expect(below).toEqual(split("s", "horizontal", [pane("a"), split("t", "vertical", [pane("b"), pane("c")], [50, 50])], [50, 50]));
});

test("a split with one child left becomes that child", () => {
  expect(remove(below, "c")).toEqual(two);
  expect(remove(two, "a")).toEqual(pane("b"));
  expect(remove(pane("a"), "a")).toBeNull();
  expect(remove(two, "nobody")).toEqual(two);
});

test("a line moves between the two at its sides and keeps both as large as they have to be", () => {
  const sizes = (to: number) => (moveBar(two, "s", 1, to, 20) as Split).sizes;
  expect(sizes(62)).toEqual([62, 38]);
  expect(sizes(5)).toEqual([20, 80]);
  expect(sizes(100)).toEqual([80, 20]);
  expect((moveBar(two, "s", 1, 10, 70) as Split).sizes).toEqual([50, 50]);
  expect(moveBar(below, "t", 1, 30, 10)).toMatchObject({ sizes: [50, 50], children: [pane("a"), { sizes: [30, 70] }] });
});

test("slots fill the workspace, and every pane but the first has one line before it", () => {
  const slots = slotsOf(below);
  expect(slots.map(({ pane, box }) => [pane.id, box.x, box.y, box.width, box.height])).toEqual([
    ["a", 0, 0, 50, 100],
    ["b", 50, 0, 50, 50],
    ["c", 50, 50, 50, 50],
  ]);
  expect(slots.map(({ bar }) => bar && [bar.split, bar.start, bar.share, bar.both, bar.controls])).toEqual([null, ["s", 50, 50, 100, ["a"]], ["t", 50, 50, 100, ["b"]]]);
});

test("whatever is opened and closed, the panes that stay keep their order", () => {
  let node: Node = pane("p0");
  let seed = 7;
  const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
  for (let step = 1; step < 200; step++) {
    const before = ids(node);
    const at = before[random(before.length)]!;
    const closes = before.length > 1 && random(2) === 0;
    const next: Node = closes ? remove(node, at)! : insert(node, at, (["left", "right", "top", "bottom"] as const)[random(4)]!, pane(`p${step}`), `s${step}`);
    const after = ids(next);
    expect(after.filter((id) => before.includes(id))).toEqual(before.filter((id) => after.includes(id)));
    const area = slotsOf(next).reduce((sum, { box }) => sum + box.width * box.height, 0);
    expect(area).toBeCloseTo(10_000);
    expect(slotsOf(next).filter(({ bar }) => bar === null)).toHaveLength(1);
    expect(isLayout(next)).toBe(true);
    node = next;
  }
});

test("only what is a layout is taken for one", () => {
  for (const no of [null, undefined, "a", {}, { kind: "pane", id: "a" }, split("s", "vertical", [pane("a")], [100]), split("s", "vertical", [pane("a"), pane("b")], [100])]) {
    expect(isLayout(no)).toBe(false);
  }
});

test("the pointer is at an edge within a quarter of the pane", () => {
  expect(placeOf(10, 300, 400, 600)).toBe("left");
  expect(placeOf(390, 300, 400, 600)).toBe("right");
  expect(placeOf(200, 20, 400, 600)).toBe("top");
  expect(placeOf(200, 590, 400, 600)).toBe("bottom");
  expect(placeOf(200, 300, 400, 600)).toBe("center");
});

/** The panes: a tree of splits whose leaves each show one session. Pure; `store.ts` keeps it. */
export type Edge = "left" | "right" | "top" | "bottom";

export interface Pane {
  kind: "pane";
  id: string;
  session: string;
  /** The session was made here and the server does not know it yet. */
  fresh: boolean;
}

export interface Split {
  kind: "split";
  id: string;
  direction: "horizontal" | "vertical";
  children: Node[];
  /** Shares of the children in per cent, in their order. */
  sizes: number[];
}

export type Node = Pane | Split;

export const PANES_MAX = 8;

export const panesOf = (node: Node): Pane[] => (node.kind === "pane" ? [node] : node.children.flatMap(panesOf));

export function mapPane(node: Node, id: string, change: (pane: Pane) => Pane): Node {
  if (node.kind === "pane") return node.id === id ? change(node) : node;
  return { ...node, children: node.children.map((child) => mapPane(child, id, change)) };
}

/** Puts a pane at an edge of another. Beside siblings of the same direction it becomes one of them. */
export function insert(node: Node, beside: string, edge: Edge, pane: Pane, splitId: string): Node {
  const direction = edge === "left" || edge === "right" ? "horizontal" : "vertical";
  const before = edge === "left" || edge === "top";
  if (node.kind === "pane") {
    if (node.id !== beside) return node;
    const children = before ? [pane, node] : [node, pane];
    return { kind: "split", id: splitId, direction, children, sizes: [50, 50] };
  }
  const at = node.children.findIndex((child) => child.id === beside);
  if (at >= 0 && node.direction === direction) {
    const children = node.children.toSpliced(before ? at : at + 1, 0, pane);
    return { ...node, children, sizes: even(children.length) };
  }
  return { ...node, children: node.children.map((child) => insert(child, beside, edge, pane, splitId)) };
}

/** Takes a pane out; a split with one child left becomes that child. `null` when nothing is left. */
export function remove(node: Node, id: string): Node | null {
  if (node.kind === "pane") return node.id === id ? null : node;
  const kept = node.children.map((child) => remove(child, id));
  const children = kept.filter((child): child is Node => child !== null);
  if (children.length === 0) return null;
  if (children.length === 1) return children[0]!;
  const sizes = children.length === node.children.length ? node.sizes : even(children.length);
  return { ...node, children, sizes };
}

/** Moves the line before a child: what the child before it gets, the child loses. Neither gets smaller than `least`. */
export function moveBar(node: Node, split: string, at: number, to: number, least: number): Node {
  if (node.kind === "pane") return node;
  if (node.id !== split) return { ...node, children: node.children.map((child) => moveBar(child, split, at, to, least)) };
  const both = node.sizes[at - 1]! + node.sizes[at]!;
  const floor = Math.min(least, both / 2);
  const first = Math.min(Math.max(to, floor), both - floor);
  return { ...node, sizes: node.sizes.with(at - 1, first).with(at, both - first) };
}

const even = (count: number): number[] => Array.from({ length: count }, () => 100 / count);

/** Whether something that was kept is a layout, so that what is kept by other versions breaks nothing. */
export function isLayout(value: unknown): value is Node {
  const node = value as Partial<Pane> & Partial<Split>;
  if (typeof node !== "object" || node === null || typeof node.id !== "string") return false;
  if (node.kind === "pane") return typeof node.session === "string";
  return node.kind === "split" && Array.isArray(node.children) && node.sizes?.length === node.children.length && node.children.length > 1 && node.children.every(isLayout);
}

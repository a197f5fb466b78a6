/** The block of a row that somebody reads: what stands at the view's top edge, as deep as it is still a block. */
const LEAF = /^(?:p|pre|table|h\d|button|svg|img|span|a)$/i;
const DEPTH_MAX = 8;

export function deepest(row: Element, edge: number): Element {
  let element = row;
  for (let depth = 0; depth < DEPTH_MAX && !LEAF.test(element.tagName); depth++) {
    if (element !== row && element.getBoundingClientRect().top >= edge) return element;
    // A day's line goes when older messages of that day come: nothing can be held by it.
    const inner = [...element.children].find((child) => {
      if (child.hasAttribute("data-passing")) return false;
      const { bottom, height } = child.getBoundingClientRect();
      return height > 0 && bottom > edge + 1;
    });
    if (!inner) return element;
    element = inner;
  }
  return element;
}

/** The way from a row to an element in it, by numbers of children. */
export function pathTo(row: Element, element: Element): number[] {
  const path: number[] = [];
  for (let at = element; at !== row && at.parentElement; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
  return path;
}

export function resolve(row: Element, { path, offset }: { path: number[]; offset: number }): { element: Element; offset: number } | null {
  let element: Element | undefined = row;
  for (const index of path) element = element?.children[index];
  return element ? { element, offset } : null;
}

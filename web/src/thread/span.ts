/** Which rows of a long list are worth having in the page. Pure: heights go in, indices come out. */
export interface Span {
  from: number;
  /** Behind the last. */
  to: number;
}

/** The rows that are seen, and `beyond` pixels on both sides, when row `at` has its top `offset` below the view's. */
export function spanAround(sizes: readonly number[], at: number, offset: number, view: number, beyond: number): Span {
  if (sizes.length === 0) return { from: 0, to: 0 };
  let from = at;
  for (let top = offset; from > 0 && top > -beyond; ) top -= sizes[--from]!;
  let to = at;
  for (let bottom = offset; to < sizes.length && (bottom < view + beyond || to === at); ) bottom += sizes[to++]!;
  return { from: Math.max(0, Math.min(from, at - ROWS_MIN)), to: Math.min(sizes.length, Math.max(to, at + ROWS_MIN + 1)) };
}

/** So many rows are there on both sides, however high they are: a question stays with its long answer. */
const ROWS_MIN = 3;

/** Keeps what is there as long as it covers what is needed and is not much more: scrolling a little changes nothing. */
export function steady(current: Span, needed: Span, wanted: Span): Span {
  const covers = current.from <= needed.from && current.to >= needed.to;
  const near = current.from >= wanted.from - SPARE && current.to <= wanted.to + SPARE;
  return covers && near ? current : wanted;
}

const SPARE = 6;

export const sum = (sizes: readonly number[], from: number, to: number): number => {
  let total = 0;
  for (let index = from; index < to; index++) total += sizes[index]!;
  return total;
};

/** The row that lies at a height of the whole list, and how far its top is from there. */
export function rowAt(sizes: readonly number[], height: number): { at: number; offset: number } {
  let top = 0;
  for (let at = 0; at < sizes.length; at++) {
    const bottom = top + sizes[at]!;
    if (bottom > height || at === sizes.length - 1) return { at, offset: top - height };
    top = bottom;
  }
  return { at: 0, offset: 0 };
}

/** The indices to render and the gaps between them: the span, and one row that has the focus, wherever it is. */
export function pieces(span: Span, held: number, count: number): ({ row: number } | { gap: Span })[] {
  const parts: ({ row: number } | { gap: Span })[] = [];
  let next = 0;
  const skip = (to: number) => to > next && parts.push({ gap: { from: next, to } });
  const add = (row: number) => {
    skip(row);
    parts.push({ row });
    next = row + 1;
  };
  if (held >= 0 && held < span.from) add(held);
  for (let row = span.from; row < span.to; row++) add(row);
  if (held >= span.to) add(held);
  skip(count);
  return parts;
}

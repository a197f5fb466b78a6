/**
 * What rendering may cost. Every markdown parser is quadratic in something, so a block is weighed before it is parsed, in linear time.
 * The weights are milliseconds on a slow machine, found with the inputs of `bounds.test.tsx`; a dense answer with formulas costs 14 for each 1,000 characters.
 */
export const TEXT_CHARS_MAX = 300_000;
export const TEXT_COST_MAX = 600;
export const BLOCK_COST_MAX = 150;
/** Lazy lines of a quote and underlined headings are quadratic in their number. */
const LINES_MAX = 1500;
const DEPTH_MAX = 30;
const BLOCK_CHARS_MAX = 40_000;

export const COST_OF_CODE = 0.8;
const COST_OF_BLOCK = 0.4;
const COST_OF_CHAR = 0.001;
const COST_OF_LINE = 0.03;
const COST_OF_QUOTE = 0.01;
const COST_OF_ITEM = 0.2;
const COST_OF_ADDRESS = 0.12;
const COST_OF_DEFINITION = 0.3;

/** KaTeX takes its time. */
const COST_OF_TEX = 0.04;
/** Formulas within a line; each is two dollars besides. */
const INLINE_MATHS = /\$[^$]+\$|\\[([](?:[^\\]|\\(?![()[\]]))+\\[)\]]/g;

const COST_OF: Record<string, number> = { $: 0.3, "|": 0.08, "#": 0.12, "[": 0.08, "*": 0.04, "]": 0.05, "\\": 0.03, _: 0.03, "~": 0.03, "<": 0.03, "`": 0.03, "&": 0.03 };
const costOfAscii = new Float32Array(128).fill(COST_OF_CHAR);
for (const [char, cost] of Object.entries(COST_OF)) costOfAscii[char.charCodeAt(0)] = cost;

const MARKERS = /^(?:[ \t]|>|[-+*](?=[ \t]|$)|\d{1,9}[.)](?=[ \t]|$))*/;

/** What it would take to render this markdown, in milliseconds; infinite beyond the bounds. */
export function costOf(source: string): number {
  if (source.length > BLOCK_CHARS_MAX) return Infinity;
  const lines = source.split("\n");
  if (lines.length > LINES_MAX) return Infinity;
  const count = (what: RegExp) => source.match(what)?.length ?? 0;
  let cost =
    COST_OF_BLOCK +
    lines.length * COST_OF_LINE +
    count(/@|:\/\/|www\./g) * COST_OF_ADDRESS +
    count(/\]:/g) * COST_OF_DEFINITION +
    count(/`{3}|~{3}/g) * COST_OF_CODE;
  for (const line of lines) {
    const markers = MARKERS.exec(line)?.[0] ?? "";
    const quotes = markers.split(">").length - 1;
    const items = markers.match(/[^ \t>]+/g)?.length ?? 0;
    const indent = items ? (/^[ \t]*/.exec(markers)?.[0] ?? "").replaceAll("\t", "    ").length / 2 : 0;
    if (quotes + items + indent > DEPTH_MAX) return Infinity;
    cost += quotes * COST_OF_QUOTE + items * COST_OF_ITEM;
  }
  for (const [maths] of source.matchAll(INLINE_MATHS)) cost += maths.length * COST_OF_TEX;
  for (let index = 0; index < source.length; index++) cost += costOfAscii[source.charCodeAt(index)] ?? COST_OF_CHAR;
  return cost;
}

export const costOfMaths = (tex: string): number => 2 + tex.length * COST_OF_TEX;

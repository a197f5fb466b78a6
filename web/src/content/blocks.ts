/**
 * Cuts an answer into blocks that can be rendered each by itself: line by line, in linear time whatever the text.
 * A cut that CommonMark would not make is wrong; a cut left out only makes a block longer.
 */
import { COST_OF_CODE, costOf, costOfMaths } from "./bounds";

export type Block = { at: number; source: string; cost: number } & (
  | { kind: "markdown"; refers: string[]; defines: [label: string, line: string][] }
  | { kind: "code"; code: string; language: string; closed: boolean }
  | { kind: "maths"; tex: string; closed: boolean }
);

/** Short paragraphs share a block: what a block costs by itself is more than what they cost. */
const BLOCK_CHARS_MIN = 400;

const DEFINITION_CHARS_MAX = 500;

const FENCE = /^( {0,3})(`{3,}(?=[^`]*$)|~{3,})(.*)$/;
const MATHS = /^ {0,3}(\$\$|\\\[)(?!\$)/;
const HEADING = /^ {0,3}#{1,6}(?:[ \t]|$)/;
const ITEM = /^( {0,3})([-+*]|\d{1,9}[.)])(?:[ \t]|$)/;
const DEFINITION = /^ {0,3}\[([^[\]]{1,100})\]:[ \t]*\S/;
const REFERENCE = /\[(\^?[^[\]]{1,100})\]/g;

const closes = (line: string, mark: string): boolean => {
  const text = line.trim();
  return text.length >= mark.length && text === mark.charAt(0).repeat(text.length) && /^ {0,3}\S/.test(line);
};
const columns = (line: string): number => (/^[ \t]*/.exec(line)?.[0] ?? "").replaceAll("\t", "    ").length;
const unindent = (code: string, columns: number): string => (columns ? code.replace(new RegExp(`^ {1,${columns}}`, "gm"), "") : code);

const same = (label: string): string => label.trim().replace(/\s+/g, " ").toLowerCase();

function markdown(at: number, source: string): Block {
  const refers = source.includes("[") ? [...new Set(Array.from(source.matchAll(REFERENCE), (match) => same(match[1] ?? "")))] : [];
  const defines: [string, string][] = [];
  if (source.includes("]:")) {
    for (const line of source.split("\n")) {
      const label = DEFINITION.exec(line)?.[1];
      if (label !== undefined && line.length <= DEFINITION_CHARS_MAX) defines.push([same(label), line]);
    }
  }
  return { kind: "markdown", at, source, cost: costOf(source), refers, defines };
}

interface Open {
  kind: "fence" | "maths";
  /** What closes it. */
  mark: string;
  at: number;
  body: number;
  indent: number;
  language: string;
}

/** The blocks of `text` from the offset `from`, where a block begins. */
export function split(text: string, from = 0): Block[] {
  const blocks: Block[] = [];
  let start = from;
  let open: Open | null = null;
  let afterBlank = false;
  let itemIndent = 0; // Where the content of the list's items begins; 0 outside of a list.

  const cut = (end: number) => {
    const source = text.slice(start, end);
    if (!/\S/.test(source)) return;
    blocks.push(markdown(start, source));
    start = end;
    itemIndent = 0;
  };
  const finish = ({ kind, at, body, indent, language }: Open, bodyEnd: number, end: number, closed: boolean) => {
    cut(at);
    const source = text.slice(at, end);
    const inside = text.slice(Math.min(body, bodyEnd), bodyEnd);
    if (kind === "maths") {
      const tex = inside.trim();
      blocks.push({ kind, at, source, cost: Math.max(costOfMaths(tex), closed ? 0 : costOf(source)), tex, closed });
    } else {
      blocks.push({ kind: "code", at, source, cost: COST_OF_CODE, code: unindent(inside, indent).replace(/\r?\n$/, ""), language, closed });
    }
    start = end;
    itemIndent = 0;
    open = null;
    afterBlank = false;
  };

  for (let at = from, next = from; at < text.length; at = next) {
    const newline = text.indexOf("\n", at);
    next = newline === -1 ? text.length : newline + 1;
    const line = text.slice(at, newline === -1 ? next : newline).replace(/\r$/, "");
    const blank = /^[ \t]*$/.test(line);

    if (open?.kind === "fence") {
      if (closes(line, open.mark)) finish(open, at, next, true);
      continue;
    }
    const indent = columns(line);
    const inside = itemIndent > 0 && indent >= itemIndent;
    const fence = inside ? null : FENCE.exec(line);
    if (open && (blank || fence)) open = null; // It only looked like maths.
    if (!open && blank) {
      afterBlank = true;
      continue;
    }
    const formula: RegExpExecArray | null = open || inside ? null : MATHS.exec(line);
    if (formula) open = { kind: "maths", mark: formula[1] === "$$" ? "$$" : "\\]", at, body: at + formula[0].length, indent: 0, language: "" };
    if (open) {
      const rest = Math.max(at, open.body);
      const stop = text.slice(rest, next).trimEnd().indexOf(open.mark);
      if (stop !== -1 && text.slice(rest + stop, next).trimEnd() === open.mark) finish(open, rest + stop, next, true);
      else if (stop !== -1) open = null;
      if (!formula || !open) continue;
    }

    const item = ITEM.exec(line);
    if (fence) {
      const language = newline === -1 ? "" : (fence[3] ?? "").trim();
      open = { kind: "fence", mark: fence[2] ?? "", at, body: next, indent: fence[1]?.length ?? 0, language };
    } else if (!inside && (HEADING.test(line) || (afterBlank && (itemIndent ? !item : indent < 4)))) {
      if (at - start >= BLOCK_CHARS_MIN) cut(at);
      itemIndent = 0;
    }
    if (item && !inside) itemIndent = (item[1]?.length ?? 0) + (item[2]?.length ?? 1) + 1;
    afterBlank = false;
  }
  if (open) finish(open, text.length, text.length, false);
  else cut(text.length);
  return blocks;
}

/** Splits a growing text: all but the last two blocks stay the objects that they were. The last line may still change what it begins. */
export function splitter(): (text: string) => Block[] {
  let before = "";
  let blocks: Block[] = [];
  return (text) => {
    if (text === before) return blocks;
    const kept = text.startsWith(before) ? blocks.slice(0, -2) : [];
    const from = kept.length ? (blocks[kept.length]?.at ?? 0) : 0;
    blocks = [...kept, ...split(text, from)];
    before = text;
    return blocks;
  };
}

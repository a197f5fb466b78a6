/** Makes the end of a growing text presentable: what is half-open is closed, what cannot be told yet waits. */
import remend from "remend";

/** A line of a table before its rule is there: nobody can tell yet that it will be one. */
const TABLE_HEAD = /(^|\n)[ \t]*\|[^\n]*(?:\n[ \t]*\|?[ \t:|-]*)?$/;
/** Marks at the very end may still open, close or grow. */
const MARKS = /(?:\\|\$?\$|!\[[^[\]\n]*\]|\\?[*_~`]+)$/;

export function settled(source: string): string {
  const head = TABLE_HEAD.exec(source);
  const isHead = head && !/\|[ \t]*\n$/.test(source.slice(Math.max(0, head.index - 200), head.index + 1));
  const told = isHead ? source.slice(0, head.index) : source;
  return remend(told.replace(MARKS, ""), { linkMode: "text-only", htmlTags: false });
}

/** The closing fence shows before it is complete, at the last line of open code. */
export const settledCode = (code: string): string => code.replace(/(?:^|\n) {0,3}(?:`+|~+)$/, "");

/** Whether a growing block has grown enough to be shown anew: the dearer it is, the fewer of its states are shown; at 100 ms, one for every 150 characters. */
export const isDue = (shown: string, { source, cost }: { source: string; cost: number }): boolean =>
  source.length < shown.length || source.length - shown.length >= cost * 1.5 || !source.startsWith(shown);

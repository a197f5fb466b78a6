/** Which message ArrowUp edits. Pure. */
import type { Draft } from "~/session/drafts";
import type { Thread } from "~/session/thread";
import { imagesOf, textOf } from "./content";

/** The draft that edits the last message of the user; `null` while there is none whose place is known. */
export function editOfLast({ keys, rows }: Pick<Thread, "keys" | "rows">): Pick<Draft, "text" | "parts" | "edits"> | null {
  const row = rows[keys.findLast((key) => rows[key]?.role === "user") ?? ""];
  if (!row?.facts.kind) return null;
  return { text: textOf(row.content), parts: imagesOf(row.content), edits: { turn: row.turn, parent: row.facts.parent } };
}

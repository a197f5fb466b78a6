/** Which message ArrowUp edits. Pure. */
import { type Draft, editOf } from "~/session/drafts";
import type { Thread } from "~/session/thread";

/** The draft that edits the last message of the user; `null` while there is none whose place is known. */
export function editOfLast({ keys, rows }: Pick<Thread, "keys" | "rows">): Pick<Draft, "text" | "parts" | "edits"> | null {
  const row = rows.get(keys.findLast((key) => rows.get(key)?.role === "user") ?? "");
  return row?.facts.kind ? editOf(row) : null;
}

/** Which message ArrowUp edits. Pure. */
import { type Draft, editOf } from "~/session/drafts";
import { isAlone } from "~/session/rows";
import type { Thread } from "~/session/thread";

/** The draft that edits the last message of the user; `null` while its place is not known, and where it is one of several. */
export function editOfLast(thread: Pick<Thread, "keys" | "rows">): Pick<Draft, "text" | "parts" | "edits"> | null {
  const row = thread.rows.get(thread.keys.findLast((key) => thread.rows.get(key)?.role === "user") ?? "");
  return row?.facts.kind && isAlone(row, thread) ? editOf(row) : null;
}

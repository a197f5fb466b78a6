/** What a conversation consists of on the screen, in order: rows of the thread, and sends that wait for the server. Pure. */
import type { Sending } from "~/session/outbox";
import { type Row, userKey } from "~/session/rows";
import type { Thread } from "~/session/thread";

export interface Line {
  key: string;
  kind: "row" | "send";
  /** The row before, to tell whether a new day begins. */
  previous: string | null;
  /** It will have to wait for other turns, so its place is the queue: it shows here only when that takes long. */
  waits: boolean;
}

export const sendKey = (send: Sending): string => `send/${send.key}`;
const lineOf = (key: string, kind: Line["kind"], previous: string | null, waits = false): Line => ({ key, kind, previous, waits });

export function linesOf({ keys, rows, running, queue }: Pick<Thread, "keys" | "rows" | "running" | "queue">, sends: readonly Sending[], live: boolean): Line[] {
  const shown = withoutResults(keys, rows);
  const lines = shown.map((key, index) => lineOf(key, "row", shown[index - 1] ?? null));
  const begun = live && running !== null && rows.get(keys.at(-1) ?? "")?.live ? rows.get(userKey(running)) : undefined;
  const open = sends.filter((send) => send.refused || !same(send, begun));
  const busy = running !== null || queue.length > 0;
  return [...lines, ...open.map((send) => lineOf(sendKey(send), "send", null, busy && !send.refused))];
}

const same = (send: Sending, row: Row | undefined): boolean => JSON.stringify(send.message) === JSON.stringify(row?.content);

/** Results stand with their calls; only one whose call is not there has a row of its own. */
function withoutResults(keys: readonly string[], rows: Thread["rows"]): string[] {
  const calls = new Set<string>();
  return keys.filter((key) => {
    const row = rows.get(key);
    row?.toolCalls.forEach((call) => calls.add(call.id));
    return !(row?.role === "tool" && row.toolCallId !== null && calls.has(row.toolCallId));
  });
}

/** The results that were sent for an answer's calls, by the calls' ids. Ids may be used again by later calls. */
export function resultsFor(row: Row, { keys, rows }: Pick<Thread, "keys" | "rows">): Record<string, string> {
  const wanted = new Set(row.toolCalls.map((call) => call.id));
  const results: Record<string, string> = {};
  for (const key of keys.slice(keys.indexOf(row.key) + 1)) {
    if (wanted.size === 0) break;
    const one = rows.get(key);
    one?.toolCalls.forEach((call) => wanted.delete(call.id));
    if (one?.role !== "tool" || one.toolCallId === null || !wanted.delete(one.toolCallId)) continue;
    results[one.toolCallId] = typeof one.content === "string" ? one.content : JSON.stringify(one.content);
  }
  return results;
}

/** Whether the shown path goes on from this turn by its own request to continue. */
export const isContinued = (turn: string, { keys, rows }: Pick<Thread, "keys" | "rows">): boolean =>
  keys.some((key) => {
    const facts = rows.get(key)?.facts;
    return facts?.kind === "continue" && facts.parent === turn;
  });

export type RowStatus = "streaming" | "waiting" | "sending" | "completed" | "failed" | "cancelled" | "incomplete";

/** What is said of a row: of an answer how it is going, of a message that it is there. */
export function statusOf(row: Row): RowStatus {
  if (row.input) return "completed";
  const { status } = row.facts;
  if (row.live || status === "queued" || status === "running") return said(row) ? "streaming" : "waiting";
  return status;
}

/** Whether anything of an answer has come. */
export const said = (row: Row): boolean => row.content.length > 0 || row.reasoning !== "" || row.refusal !== "" || row.toolCalls.length > 0;

/** Whether `at` is on another day than `before`, where the reader is. */
export function newDay(at: string | null, before: string | null): boolean {
  if (!at) return false;
  return !before || new Date(at).toDateString() !== new Date(before).toDateString();
}

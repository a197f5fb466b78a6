/**
 * What a pane shows of a session, as plain data: answers of the server go in, rows come out; events of the feed come by
 * `events.ts`. Everything here is pure. Applying the same answer or event twice changes nothing: deltas carry their offset,
 * final states stay final.
 */
import type { Message, Session, SessionPage, Turn } from "~/api/types";
import { answerKey, newLive, type Row, rowOf, rowsOf, scalars } from "./rows";

export interface Thread {
  session: Session | null;
  keys: string[];
  rows: ReadonlyMap<string, Row>;
  /** There are older messages than these. */
  older: boolean;
  running: string | null;
  queue: Turn[];
  /** Turns that are known to have ended: an answer that says otherwise is out of date. */
  ended: ReadonlySet<string>;
}

export const empty: Thread = { session: null, keys: [], rows: new Map(), older: false, running: null, queue: [], ended: new Set() };

export const byKey = (rows: Row[]): Map<string, Row> => new Map(rows.map((row) => [row.key, row]));
export const withRows = (thread: Thread, rows: Row[]): Thread["rows"] => new Map([...thread.rows, ...byKey(rows)]);
/** With each delta: a map is copied ten times faster than an object of that size. */
export const put = (thread: Thread, row: Row): Thread => ({ ...thread, rows: new Map(thread.rows).set(row.key, row) });

/** Takes a fresh `GET /sessions/{id}`. `null`: it is older than what is known; ask again. */
export function withPage(thread: Thread, page: SessionPage, now: number): Thread | null {
  const active = page.active_turn ?? null;
  if (page.running && thread.ended.has(page.running)) return null;
  const fresh = rowsOf(page.messages);
  if (active) fresh.push(activeRow(thread, page, now));
  const [keys, older] = joined(thread, fresh, page.has_more);
  const known = keys.flatMap((key) => thread.rows.get(key) ?? []);
  const rows = byKey([...known, ...fresh.map((row) => settled(thread.rows.get(row.key), row))]);
  return { ...thread, session: sessionOf(page), keys, rows, older, running: page.running ?? null, queue: page.queue.filter((turn) => !thread.ended.has(turn.turn_id)) };
}

/** The session of a page, as the list has it. */
export const sessionOf = ({ messages: _, queue: __, has_more: ___, active_turn: ____, cursor: _____, ...session }: SessionPage): Session => session;

/** Older rows that were loaded before stay, as long as the new page joins them. */
function joined(thread: Thread, fresh: Row[], more: boolean): [string[], boolean] {
  const keys = fresh.map((row) => row.key);
  const first = keys[0];
  const at = first === undefined ? -1 : thread.keys.indexOf(first);
  return more && at > 0 ? [[...thread.keys.slice(0, at), ...keys], thread.older] : [keys, more];
}

/** The row as it was, when nothing of it changed: what shows it need not render again. */
function settled(old: Row | undefined, row: Row): Row {
  return old && !old.live && !row.live && JSON.stringify(old) === JSON.stringify(row) ? old : row;
}

function activeRow(thread: Thread, page: SessionPage, now: number): Row {
  const active = page.active_turn!;
  const old = thread.rows.get(answerKey(active.turn_id));
  const before = page.messages.findLast((message) => message.turn_id === active.turn_id);
  const row = old?.live ? old : newLive(active.turn_id, active.started_at ? Math.min(now, Date.parse(active.started_at)) : now);
  const live = row.live!;
  const facts = before ? { ...rowOf(before).facts, status: "running" as const } : row.facts;
  const ahead = live.chars.text > scalars(active.text) || live.chars.reasoning > scalars(active.reasoning);
  if (ahead) return { ...row, facts };
  return {
    ...row,
    content: active.text,
    reasoning: active.reasoning,
    refusal: active.refusal,
    toolCalls: active.tool_calls,
    facts: { ...facts, model: facts.model ?? row.facts.model },
    live: { ...live, chars: { text: scalars(active.text), reasoning: scalars(active.reasoning), refusal: scalars(active.refusal) } },
  };
}

/** Older messages, in front of those that are there. */
export function withOlder(thread: Thread, messages: Message[], more: boolean): Thread {
  const older = rowsOf(messages).filter((row) => !thread.rows.has(row.key));
  return {
    ...thread,
    keys: [...older.map((row) => row.key), ...thread.keys],
    rows: new Map([...byKey(older), ...thread.rows]),
    older: more,
  };
}

/** Another path of the session, as it stands: nothing of it runs. */
export const withBranch = (thread: Thread, messages: Message[], more: boolean): Thread => {
  const rows = rowsOf(messages);
  return { ...thread, keys: rows.map((row) => row.key), rows: byKey(rows), older: more, running: null };
};

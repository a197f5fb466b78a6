/**
 * What a pane shows of a session, as plain data: answers of the server go in, rows come out; events of the feed come by
 * `events.ts`. Everything here is pure. Applying the same answer or event twice changes nothing: deltas carry their offset,
 * final states stay final.
 */
import type { Message, Session, SessionPage, Turn } from "~/api/types";
import { answerKey, final, newLive, type Row, rowOf, rowsOf, scalars } from "./rows";

export interface Thread {
  session: Session | null;
  /** The path that is shown. */
  keys: string[];
  /** Its rows; and beside it the answers of turns that run elsewhere in the session's tree. */
  rows: ReadonlyMap<string, Row>;
  /** There are older messages than these. */
  older: boolean;
  /** The turn that runs on the path; when none does, the one of another path that the server named. */
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
  if (active && fresh.at(-1)?.facts.kind !== "insert") fresh.push(activeRow(thread, page, now));
  return { ...withSession(thread, page), ...pathOf(thread, fresh, page.has_more), running: page.running ?? null };
}

/** What a page says of the session itself, for one of which another path is shown. */
export const withSession = (thread: Thread, page: SessionPage): Thread => ({
  ...thread,
  session: sessionOf(page),
  queue: page.queue.filter((turn) => !thread.ended.has(turn.turn_id)),
  running: page.running ?? null,
});

/** The session of a page, as the list has it. */
export const sessionOf = ({ messages: _, queue: __, has_more: ___, active_turn: ____, cursor: _____, ...session }: SessionPage): Session => session;

/** The path that ends with these rows. What runs elsewhere is kept, so that it can be shown from its start. */
function pathOf(thread: Thread, fresh: Row[], more: boolean): Pick<Thread, "keys" | "rows" | "older"> {
  const [keys, older] = joined(thread, fresh, more);
  const known = keys.flatMap((key) => thread.rows.get(key) ?? []);
  return { keys, older, rows: byKey([...running(thread), ...known, ...fresh.map((row) => settled(thread.rows.get(row.key), row))]) };
}

const running = ({ rows, ended }: Thread): Row[] => [...rows.values()].filter((row) => !row.input && !final(row.facts.status) && !ended.has(row.turn));

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

/** Another path of the session, as it stands. Its last turn may run: what it says is known if its start was seen. */
export function withBranch(thread: Thread, messages: Message[], more: boolean): Thread {
  const fresh = rowsOf(messages);
  const last = fresh.at(-1);
  const live = thread.rows.get(answerKey(last?.turn ?? ""));
  if (!last || !live?.live || last.key === live.key) return { ...thread, ...pathOf(thread, fresh, more) };
  const { model } = live.facts;
  return { ...thread, ...pathOf(thread, [...fresh, { ...live, facts: { ...last.facts, status: "running", model } }], more), running: last.turn };
}

/** A turn's messages, as they are now: some of them were deleted. */
export function withTurn(thread: Thread, turn: string, messages: Message[]): Thread {
  const isIts = (key: string) => thread.rows.get(key)?.turn === turn;
  const at = thread.keys.findIndex(isIts);
  if (at < 0) return thread;
  const fresh = rowsOf(messages).map((row) => settled(thread.rows.get(row.key), row));
  const answer = thread.rows.get(answerKey(turn));
  if (answer?.live && fresh.at(-1)?.key !== answer.key) fresh.push(answer);
  const keys = thread.keys.filter((key) => !isIts(key)).toSpliced(at, 0, ...fresh.map((row) => row.key));
  const others = [...thread.rows.values()].filter((row) => row.turn !== turn);
  return { ...thread, keys, rows: byKey([...others, ...fresh]) };
}

/** Events were lost: what runs elsewhere may have ended since. */
export const withoutElsewhere = (thread: Thread): Thread => ({ ...thread, rows: byKey(thread.keys.flatMap((key) => thread.rows.get(key) ?? [])) });

/* ---- where the path stands in the session's tree ---- */

/** The turn that the path ends with. */
export const tipOf = ({ keys, rows }: Pick<Thread, "keys" | "rows">): string | null => rows.get(keys.at(-1) ?? "")?.turn ?? null;

/** The turn that has just ended before the reader's eyes while others run elsewhere: the main path goes on without it. */
export function leftBehind(before: Thread, after: Thread): string | null {
  const tip = tipOf(after);
  if (tip === null || before.ended.has(tip) || !after.ended.has(tip)) return null;
  const shown = new Set(after.keys);
  return running(after).some((row) => !shown.has(row.key)) ? tip : null;
}

/** Whether the path that a page shows ends with this turn, or goes on from it. */
export const leadsOn = (page: SessionPage, turn: string): boolean =>
  page.messages.some((message) => message.turn_id === turn) || (!page.running && page.head === turn);

/** The turn that is being answered before the reader's eyes while the session's main path goes elsewhere. */
export function watched({ keys, rows }: Thread, page: SessionPage): string | null {
  const last = rows.get(keys.at(-1) ?? "");
  return last?.live && !leadsOn(page, last.turn) && page.running !== last.turn ? last.turn : null;
}

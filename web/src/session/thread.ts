/**
 * What a pane shows of a session, as plain data: answers of the server and events of the feed go in, rows come out.
 * Everything here is pure. Applying the same event or answer twice changes nothing: deltas carry their offset, final
 * states stay final.
 */
import type { FeedEvent, TextDelta } from "~/api/events";
import type { Answer, Content, Failure, Message, Session, SessionPage, Timing, ToolCall, Turn, TurnStatus, Usage } from "~/api/types";

/** What is known of a turn beside its messages. */
interface TurnFacts {
  status: TurnStatus;
  reason: Answer["reason"] | null;
  model: string | null;
  configId: string | null;
  usage: Usage | null;
  timing: Timing | null;
  error: Failure | null;
  kind: Message["kind"] | null;
  parent: string | null;
  siblings: string[];
}

/** One line of the conversation: a message, or an answer that is being given. */
export interface Row {
  /** Stays the same from the first token to the stored message. */
  key: string;
  turn: string;
  role: Message["role"];
  content: Content;
  reasoning: string;
  refusal: string;
  toolCalls: ToolCall[];
  toolCallId: string | null;
  /** The stored message's id, once there is one. */
  message: string | null;
  at: string | null;
  facts: TurnFacts;
  live: Live | null;
}

/** What only a running answer has. Times are this browser's, in ms. */
export interface Live {
  startedAt: number;
  lastAt: number;
  attempt: number;
  /** Unicode scalar values had so far: what the offsets of deltas count. */
  chars: { text: number; reasoning: number; refusal: number };
  reasoningMs: number | null;
}

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

export const answerKey = (turn: string): string => `${turn}/answer`;
export const userKey = (turn: string): string => `${turn}/user`;

const keyOf = (message: Message): string =>
  message.role === "assistant" ? answerKey(message.turn_id) : message.role === "user" ? userKey(message.turn_id) : `${message.turn_id}/${message.id}`;

const unknownFacts = (status: TurnStatus): TurnFacts => ({
  status,
  reason: null,
  model: null,
  configId: null,
  usage: null,
  timing: null,
  error: null,
  kind: null,
  parent: null,
  siblings: [],
});

const final = (status: TurnStatus): boolean => status !== "queued" && status !== "running";
/** What a text counts in offsets. */
const scalars = (text: string): number => {
  let count = 0;
  for (const _ of text) count++;
  return count;
};

/* ---- answers ---- */

function rowOf(message: Message): Row {
  return {
    key: keyOf(message),
    turn: message.turn_id,
    role: message.role,
    content: message.content,
    reasoning: message.reasoning ?? "",
    refusal: message.refusal ?? "",
    toolCalls: message.tool_calls ?? [],
    toolCallId: message.tool_call_id ?? null,
    message: message.id,
    at: message.timestamp,
    facts: {
      status: message.status,
      reason: message.reason ?? null,
      model: message.model ?? null,
      configId: message.config_id ?? null,
      usage: message.usage,
      timing: message.timing,
      error: message.error ?? null,
      kind: message.kind,
      parent: message.parent ?? null,
      siblings: message.siblings,
    },
    live: null,
  };
}

/** Rows of stored messages. A turn that ended without a word still gets an answer row: that is where its state shows. */
function rowsOf(messages: Message[]): Row[] {
  const rows: Row[] = [];
  messages.forEach((message, index) => {
    const row = rowOf(message);
    rows.push(row);
    const next = messages[index + 1];
    const answered = next?.turn_id === message.turn_id;
    if (message.role !== "assistant" && !answered && final(message.status)) {
      rows.push({ ...row, key: answerKey(row.turn), role: "assistant", content: "", reasoning: "", toolCalls: [], message: null });
    }
  });
  return rows;
}

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

/** A turn that the server has just taken: it shows before its first event arrives. */
export function withAccepted(thread: Thread, turn: Turn, content: Content | null, now: number): Thread {
  const id = turn.turn_id;
  const input = turn.input ?? content;
  if (thread.rows.has(userKey(id))) return thread;
  const at = thread.keys.indexOf(answerKey(id));
  if (at >= 0) {
    // Its events were faster than the answer to the request.
    if (input == null) return thread;
    const row = said(turn, input);
    return { ...thread, keys: thread.keys.toSpliced(at, 0, row.key), rows: withRows(thread, [row]) };
  }
  if (thread.ended.has(id)) return thread;
  const queue = [...thread.queue.filter((queued) => queued.turn_id !== id), { ...turn, input }];
  if (turn.status === "queued") return { ...thread, queue };
  return turn.status === "running" ? started({ ...thread, queue }, { session_id: turn.session_id, turn_id: id, model: null, attempt: 1 }, now)[0] : thread;
}

/** Another path of the session, as it stands: nothing of it runs. */
export const withBranch = (thread: Thread, messages: Message[], more: boolean): Thread => {
  const rows = rowsOf(messages);
  return { ...thread, keys: rows.map((row) => row.key), rows: byKey(rows), older: more, running: null };
};

/* ---- events ---- */

/** Neighbouring pieces of one text become one event: a frame may bring hundreds, and each that is applied copies the rows. */
export function joinedDeltas(events: readonly FeedEvent[]): FeedEvent[] {
  const joined: FeedEvent[] = [];
  let end = 0;
  for (const event of events) {
    if (!isTextDelta(event)) {
      joined.push(event);
      continue;
    }
    const { turn_id, offset, text } = event.data;
    const last = joined.at(-1);
    const goesOn = last && isTextDelta(last) && last.name === event.name && last.data.turn_id === turn_id && offset === end;
    if (goesOn) joined.splice(-1, 1, { ...event, data: { ...last.data, text: last.data.text + text } });
    else joined.push(event);
    end = offset + scalars(text);
  }
  return joined;
}

const isTextDelta = (event: FeedEvent): event is TextDelta => "offset" in event.data;

/** Applies one event of the feed that concerns this session; and whether the server has to be asked for more. */
export function apply(thread: Thread, event: FeedEvent, now: number): [Thread, boolean] {
  if (!("turn_id" in event.data)) return [thread, true];
  if (thread.ended.has(event.data.turn_id)) return [thread, false];
  // A page may be faster than the events of what it tells. Only the end is still taken: it is what refuses older pages.
  if (!("status" in event.data) && isStored(thread.rows.get(answerKey(event.data.turn_id)))) return [thread, false];
  switch (event.name) {
    case "turn.queued":
      return [thread, !thread.queue.some((queued) => queued.turn_id === event.data.turn_id)];
    case "turn.started":
      return started(thread, event.data, now);
    case "message.delta":
    case "reasoning.delta":
    case "refusal.delta":
      return delta(thread, event, now);
    case "tool_call.delta":
      return toolCall(thread, event.data, now);
    case "part.done":
      return partDone(thread, event.data, now);
    case "snapshot":
      return snapshot(thread, event.data, now);
    case "turn.completed":
    case "turn.failed":
    case "turn.cancelled":
    case "turn.incomplete":
      return ended(thread, event.data);
    default:
      return [thread, false];
  }
}

const isStored = (row: Row | undefined): boolean => !!row && !row.live && final(row.facts.status);

type Data<Name extends FeedEvent["name"]> = Extract<FeedEvent, { name: Name }>["data"];

function newLive(turn: string, now: number): Row {
  return {
    key: answerKey(turn),
    turn,
    role: "assistant",
    content: "",
    reasoning: "",
    refusal: "",
    toolCalls: [],
    toolCallId: null,
    message: null,
    at: null,
    facts: unknownFacts("running"),
    live: { startedAt: now, lastAt: now, attempt: 1, chars: { text: 0, reasoning: 0, refusal: 0 }, reasoningMs: null },
  };
}

const byKey = (rows: Row[]): Map<string, Row> => new Map(rows.map((row) => [row.key, row]));
const withRows = (thread: Thread, rows: Row[]): Thread["rows"] => new Map([...thread.rows, ...byKey(rows)]);
/** With each delta: a map is copied ten times faster than an object of that size. */
const put = (thread: Thread, row: Row): Thread => ({ ...thread, rows: new Map(thread.rows).set(row.key, row) });

function started(thread: Thread, { turn_id: turn, model, attempt }: Data<"turn.started">, now: number): [Thread, boolean] {
  const known = thread.rows.get(answerKey(turn));
  if (known?.live) {
    return [put(thread, { ...known, facts: { ...known.facts, model }, live: { ...known.live, attempt } }), false];
  }
  const queued = thread.queue.find((one) => one.turn_id === turn);
  const answer = newLive(turn, now);
  const rows: Row[] = [{ ...answer, facts: { ...answer.facts, model }, live: { ...answer.live!, attempt } }];
  if (queued?.input != null && queued.kind !== "tool_results") rows.unshift(said(queued, queued.input));
  const next: Thread = {
    ...thread,
    running: turn,
    queue: thread.queue.filter((one) => one.turn_id !== turn),
    keys: [...thread.keys, ...rows.map((row) => row.key)],
    rows: withRows(thread, rows),
  };
  // Its user message, its place in the tree and the rest of the queue are only known to the server.
  return [next, true];
}

/** A user's message before the server gave it a row. */
function said(turn: Turn, content: Content): Row {
  const row = newLive(turn.turn_id, 0);
  // A turn gets its place in the tree when it starts.
  const facts = turn.number == null ? row.facts : { ...row.facts, kind: turn.kind, parent: turn.parent ?? null };
  return { ...row, key: userKey(turn.turn_id), role: "user", content, at: turn.created_at, facts, live: null };
}

const parts = {
  "message.delta": { field: "content", counted: "text" },
  "reasoning.delta": { field: "reasoning", counted: "reasoning" },
  "refusal.delta": { field: "refusal", counted: "refusal" },
} as const;

function delta(thread: Thread, { name, data: { turn_id, text, offset } }: TextDelta, now: number): [Thread, boolean] {
  const row = thread.rows.get(answerKey(turn_id));
  if (!row?.live) return [thread, true];
  const { field, counted } = parts[name];
  const have = row.live.chars[counted];
  if (offset > have) return [thread, true];
  const fresh = offset === have ? text : [...text].slice(have - offset).join("");
  if (!fresh) return [thread, false];
  const live = { ...row.live, lastAt: now, chars: { ...row.live.chars, [counted]: have + scalars(fresh) } };
  return [put(thread, { ...row, [field]: `${row[field]}${fresh}`, live }), false];
}

function toolCall(thread: Thread, { turn_id, index, id, name, arguments: piece }: Data<"tool_call.delta">, now: number): [Thread, boolean] {
  const row = thread.rows.get(answerKey(turn_id));
  if (!row?.live || index > row.toolCalls.length) return [thread, true];
  const call = row.toolCalls[index] ?? { id: "", name: "", arguments: "" };
  // A piece that comes again after a snapshot cannot be told from a new one: only a new call's first piece has its id.
  if (id && call.id === id) return [thread, true];
  const toolCalls = [...row.toolCalls];
  toolCalls[index] = { id: id ?? call.id, name: name ?? call.name, arguments: call.arguments + piece };
  return [put(thread, { ...row, toolCalls, live: { ...row.live, lastAt: now } }), false];
}

function partDone(thread: Thread, { turn_id, kind }: Data<"part.done">, now: number): [Thread, boolean] {
  const row = thread.rows.get(answerKey(turn_id));
  if (!row?.live || kind !== "reasoning") return [thread, false];
  return [put(thread, { ...row, live: { ...row.live, reasoningMs: now - row.live.startedAt } }), false];
}

function snapshot(thread: Thread, data: Data<"snapshot">, now: number): [Thread, boolean] {
  const row = thread.rows.get(answerKey(data.turn_id));
  if (!row?.live) return [thread, true];
  const { text, reasoning = "", refusal = "", tool_calls: toolCalls = [] } = data;
  const chars = { text: scalars(text), reasoning: scalars(reasoning), refusal: scalars(refusal) };
  return [put(thread, { ...row, content: text, reasoning, refusal, toolCalls, live: { ...row.live, lastAt: now, chars } }), false];
}

function ended(thread: Thread, answer: Answer): [Thread, boolean] {
  const turn = answer.turn_id;
  const known = thread.rows.get(answerKey(turn));
  const next: Thread = {
    ...thread,
    running: thread.running === turn ? null : thread.running,
    queue: thread.queue.filter((one) => one.turn_id !== turn),
    ended: new Set([...thread.ended, turn].slice(-500)),
  };
  if (!known) return [next, true];
  const message = answer.message ?? null;
  const facts: TurnFacts = {
    ...known.facts,
    status: answer.status,
    reason: answer.reason ?? null,
    model: answer.model ?? known.facts.model,
    configId: answer.config_id ?? null,
    usage: answer.usage,
    timing: answer.timing,
    error: answer.error ?? null,
  };
  const row: Row = message
    ? { ...known, content: message.content, reasoning: message.reasoning ?? "", refusal: message.refusal ?? "", toolCalls: message.tool_calls ?? [], message: message.id, at: message.timestamp }
    : known;
  return [put(next, { ...row, facts, live: null }), true];
}

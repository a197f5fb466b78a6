/** Events of the feed, and turns that the server has just taken, applied to a thread. Pure; see `thread.ts`. */
import type { FeedEvent, TextDelta } from "~/api/events";
import type { Answer, Content, Turn } from "~/api/types";
import { answerKey, final, newLive, type Row, said, scalars, type TurnFacts, userKey } from "./rows";
import { put, type Thread, tipOf, withRows } from "./thread";

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

/**
 * Applies one event of the feed that concerns this session; and whether the server has to be asked for more. `onMain`: what
 * is shown is the session's main path.
 */
export function apply(thread: Thread, event: FeedEvent, now: number, onMain = true): [Thread, boolean] {
  if (!("turn_id" in event.data)) return [thread, true];
  if (thread.ended.has(event.data.turn_id)) return [thread, false];
  // A page may be faster than the events of what it tells. Only the end is still taken: it is what refuses older pages.
  if (!("status" in event.data) && isStored(thread.rows.get(answerKey(event.data.turn_id)))) return [thread, false];
  switch (event.name) {
    case "turn.queued":
      return [thread, !thread.queue.some((queued) => queued.turn_id === event.data.turn_id)];
    case "turn.started":
      return started(thread, event.data, now, onMain);
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

function started(thread: Thread, { turn_id: turn, model, attempt }: Data<"turn.started">, now: number, onMain: boolean): [Thread, boolean] {
  const known = thread.rows.get(answerKey(turn));
  if (known?.live) {
    return [put(thread, { ...known, facts: { ...known.facts, model }, live: { ...known.live, attempt } }), false];
  }
  const answer = newLive(turn, now);
  const begun = put(thread, { ...answer, facts: { ...answer.facts, model }, live: { ...answer.live!, attempt } });
  const queued = thread.queue.find((one) => one.turn_id === turn);
  const next: Thread = { ...begun, queue: thread.queue.filter((one) => one !== queued) };
  // Its user message, its place in the tree and the rest of the queue are only known to the server.
  return [queued && onMain && goesOn(thread, queued) ? shown(next, queued, queued.input ?? null) : next, true];
}

/** Whether a turn that has waited continues the path that is shown. Of one that never waited here nobody knows. */
const goesOn = (thread: Thread, { kind, parent }: Turn): boolean =>
  kind !== "insert" && thread.running === null && (parent == null || parent === tipOf(thread));

/** The turn's message and its answer stand at the end of the path. */
function shown(thread: Thread, turn: Turn, input: Content | null): Thread {
  const id = turn.turn_id;
  const rows = input == null || turn.kind === "tool_results" ? [] : [said(turn, input)];
  return {
    ...thread,
    running: thread.ended.has(id) ? thread.running : id,
    keys: [...thread.keys, ...rows.map((row) => row.key), answerKey(id)],
    rows: withRows(thread, rows),
  };
}

/** A turn that the server has just taken: it shows before its first event arrives. */
export function withAccepted(thread: Thread, turn: Turn, content: Content | null, now: number): Thread {
  const id = turn.turn_id;
  const input = turn.input ?? content;
  if (thread.rows.has(userKey(id))) return thread;
  const at = thread.keys.indexOf(answerKey(id));
  if (at >= 0) {
    // A page was faster than the answer to the request.
    if (input == null) return thread;
    const row = said(turn, input);
    return { ...thread, keys: thread.keys.toSpliced(at, 0, row.key), rows: withRows(thread, [row]) };
  }
  const begun = thread.rows.get(answerKey(id));
  const waiting = thread.queue.filter((queued) => queued.turn_id !== id);
  // Its events were faster than the answer to the request.
  if (begun?.live || (begun && thread.ended.has(id))) return shown({ ...thread, queue: waiting }, turn, input);
  if (thread.ended.has(id)) return thread;
  if (turn.status === "queued") return { ...thread, queue: [...waiting, { ...turn, input }] };
  return turn.status === "running" ? shown({ ...put(thread, newLive(id, now)), queue: waiting }, turn, input) : thread;
}

const parts = {
  "message.delta": { field: "content", counted: "text" },
  "reasoning.delta": { field: "reasoning", counted: "reasoning" },
  "refusal.delta": { field: "refusal", counted: "refusal" },
} as const;

/**
 * Something of an answer is not here. The server tells the whole of it when it is on the main path; of a turn that runs
 * elsewhere the rest is not told either, and its end is asked for.
 */
function missed(thread: Thread, turn: string): [Thread, boolean] {
  const key = answerKey(turn);
  if (thread.keys.includes(key)) return [thread, true];
  const known = thread.rows.get(key);
  return known && !known.live ? [thread, false] : [put(thread, { ...newLive(turn, 0), live: null }), true];
}

function delta(thread: Thread, { name, data: { turn_id, text, offset } }: TextDelta, now: number): [Thread, boolean] {
  const row = thread.rows.get(answerKey(turn_id));
  if (!row?.live) return missed(thread, turn_id);
  const { field, counted } = parts[name];
  const have = row.live.chars[counted];
  if (offset > have) return missed(thread, turn_id);
  const fresh = offset === have ? text : [...text].slice(have - offset).join("");
  if (!fresh) return [thread, false];
  const live = { ...row.live, lastAt: now, chars: { ...row.live.chars, [counted]: have + scalars(fresh) } };
  return [put(thread, { ...row, [field]: `${row[field]}${fresh}`, live }), false];
}

function toolCall(thread: Thread, { turn_id, index, id, name, arguments: piece }: Data<"tool_call.delta">, now: number): [Thread, boolean] {
  const row = thread.rows.get(answerKey(turn_id));
  if (!row?.live || index > row.toolCalls.length) return missed(thread, turn_id);
  const call = row.toolCalls[index] ?? { id: "", name: "", arguments: "" };
  // A piece that comes again after a snapshot cannot be told from a new one: only a new call's first piece has its id.
  if (id && call.id === id) return missed(thread, turn_id);
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
  if (!row?.live) return missed(thread, data.turn_id);
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

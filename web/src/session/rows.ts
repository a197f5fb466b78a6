/** The rows of a conversation: what each line of it shows, made of what the server stores and of what is being said. Pure. */
import type { Answer, Content, Failure, Message, Timing, ToolCall, Turn, TurnStatus, Usage } from "~/api/types";

/** What is known of a turn beside its messages. */
export interface TurnFacts {
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
  /** The turn was asked with it; what is no input is its answer. An assistant's message may be either. */
  input: boolean;
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

export const answerKey = (turn: string): string => `${turn}/answer`;
export const userKey = (turn: string): string => `${turn}/user`;

/** Of the messages of a turn, the answer and the user's first word have keys that are known before they are stored. */
export function keyOf({ turn_id: turn, id, role, place, input }: Pick<Message, "turn_id" | "id" | "role" | "place" | "input">): string {
  if (!input) return answerKey(turn);
  return role === "user" && place === 0 ? userKey(turn) : `${turn}/${id}`;
}

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

export const final = (status: TurnStatus): boolean => status !== "queued" && status !== "running";
/** What a text counts in offsets. */
export const scalars = (text: string): number => {
  let count = 0;
  for (const _ of text) count++;
  return count;
};

export function rowOf(message: Message): Row {
  return {
    key: keyOf(message),
    turn: message.turn_id,
    role: message.role,
    input: message.input,
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

/**
 * Rows of stored messages. A turn that ended without a word still gets an answer row: that is where its state shows. One
 * that nobody was asked to answer gets none.
 */
export function rowsOf(messages: Message[]): Row[] {
  return messages.flatMap((message, index) => {
    const row = rowOf(message);
    const goesOn = messages[index + 1]?.turn_id === message.turn_id;
    return !message.input || goesOn || message.kind === "insert" || !final(message.status) ? [row] : [row, wordless(row)];
  });
}

/** The answer of a turn that said nothing, beside the last message that it was asked with. */
const wordless = ({ turn, at, facts }: Row): Row => ({ ...newLive(turn, 0), at, facts, live: null });

interface Path {
  keys: readonly string[];
  rows: ReadonlyMap<string, Row>;
}

/** The row of the same turn that comes behind this one. */
function nextOfTurn({ key, turn }: Row, { keys, rows }: Path): Row | undefined {
  const next = rows.get(keys[keys.indexOf(key) + 1] ?? "");
  return next?.turn === turn ? next : undefined;
}

export const isLastOfTurn = (row: Row, path: Path): boolean => !nextOfTurn(row, path);
/** Whether a message is all that its turn was asked with. */
export const isAlone = (row: Row, path: Path): boolean => row.key === userKey(row.turn) && !nextOfTurn(row, path)?.input;

export function newLive(turn: string, now: number): Row {
  return {
    key: answerKey(turn),
    turn,
    role: "assistant",
    input: false,
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

/** A user's message before the server gave it a row. */
export function said(turn: Turn, content: Content): Row {
  const row = newLive(turn.turn_id, 0);
  // A turn gets its place in the tree when it starts.
  const facts = turn.number == null ? row.facts : { ...row.facts, kind: turn.kind, parent: turn.parent ?? null };
  return { ...row, key: userKey(turn.turn_id), role: "user", input: true, content, at: turn.created_at, facts, live: null };
}

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
export function rowsOf(messages: Message[]): Row[] {
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

export function newLive(turn: string, now: number): Row {
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

/** A user's message before the server gave it a row. */
export function said(turn: Turn, content: Content): Row {
  const row = newLive(turn.turn_id, 0);
  // A turn gets its place in the tree when it starts.
  const facts = turn.number == null ? row.facts : { ...row.facts, kind: turn.kind, parent: turn.parent ?? null };
  return { ...row, key: userKey(turn.turn_id), role: "user", content, at: turn.created_at, facts, live: null };
}

/** What `GET /events` tells, by name, as `docs/api.md` has it. */
import type { Answer, Session, ToolCall } from "./types";

interface Told<Name extends string, Data> {
  name: Name;
  cursor: string;
  data: Data;
}

interface OfTurn {
  session_id: string;
  turn_id: string;
}

type TurnEvent =
  | Told<"turn.queued", OfTurn & { position: number }>
  | Told<"turn.started", OfTurn & { model: string | null; attempt: number }>
  | Told<"message.delta" | "reasoning.delta" | "refusal.delta", OfTurn & { text: string; offset: number }>
  | Told<"tool_call.delta", OfTurn & { index: number; arguments: string; id?: string; name?: string }>
  | Told<"part.done", OfTurn & { kind: "reasoning" | "message" | "refusal" | "tool_call"; index: number }>
  | Told<"snapshot", OfTurn & { text: string; reasoning?: string; refusal?: string; tool_calls?: ToolCall[] }>
  | Told<"turn.completed" | "turn.failed" | "turn.cancelled" | "turn.incomplete", Answer>;

type SessionEvent =
  | Told<"session.created" | "session.updated", { session_id: string; session: Session | null }>
  | Told<"session.deleted", { session_id: string }>
  | Told<"message.deleted", OfTurn>
  | Told<"queue.changed", { session_id: string; queued: number | null; paused: boolean | null }>;

/** `reset`: the feed has a gap, or begins now. What was fetched before may be out of date. */
export type FeedEvent = TurnEvent | SessionEvent | Told<"reset", { cursor: string }>;

/** A stretch of an answer's text; `offset` counts the Unicode scalar values before it. */
export type TextDelta = Extract<FeedEvent, { data: { offset: number } }>;

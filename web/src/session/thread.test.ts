import { describe, expect, it } from "vitest";
import type { FeedEvent } from "~/api/events";
import type { Message, SessionPage, Turn } from "~/api/types";
import { apply, joinedDeltas, withAccepted } from "./events";
import { answerKey, userKey } from "./rows";
import { empty, type Thread, withOlder, withPage } from "./thread";

const event = (name: string, data: Record<string, unknown>) => ({ name, cursor: "", data: { turn_id: "t1", session_id: "s", ...data } }) as FeedEvent;
const fold = (thread: Thread, ...events: FeedEvent[]) => events.reduce((state, one) => apply(state, one, 1000)[0], thread);
const usage = { prompt_tokens: 1, completion_tokens: 1, cached_tokens: 0, reasoning_tokens: 0 };
const timing = { queued_ms: 0, first_token_ms: 1, total_ms: 1 };
const message = (turn: string, role: "user" | "assistant", content: string, status: Message["status"] = "completed") =>
  ({ id: `${turn}-${role}`, session_id: "s", turn_id: turn, role, place: role === "user" ? 0 : 1, input: role === "user", content, timestamp: "2026-01-01T00:00:00.000Z", kind: "message", status, usage, timing, siblings: [turn], tool_calls: [] }) as unknown as Message;
const page = (more: Partial<SessionPage>): SessionPage =>
  ({ id: "s", running: null, queued: 0, messages: [], has_more: false, queue: [], cursor: "c", active_turn: null, ...more }) as unknown as SessionPage;
const final = (text: string, status = "completed") =>
  event(`turn.${status}`, { status, usage, timing, message: message("t1", "assistant", text) });
const textOf = (thread: Thread, turn = "t1") => thread.rows.get(answerKey(turn))?.content;

describe("a stream", () => {
  it("becomes the text, whatever comes twice", () => {
    const hello = event("message.delta", { text: "你好", offset: 0 });
    const thread = fold(empty, event("turn.started", { model: "m" }), hello, hello, event("message.delta", { text: "好😀!", offset: 1 }));
    expect(textOf(thread)).toBe("你好😀!");
    expect(thread.rows.get(answerKey("t1"))?.live?.chars.text).toBe(4);
  });

  it("asks for the page when something is missing", () => {
    const started = fold(empty, event("turn.started", {}));
    expect(apply(started, event("message.delta", { text: "x", offset: 5 }), 0)[1]).toBe(true);
    expect(apply(empty, event("message.delta", { text: "x", offset: 0 }), 0)[1]).toBe(true);
  });

  it("becomes the same text when neighbouring pieces are taken as one", () => {
    const delta = (text: string, offset: number, turn_id = "t1") => event("message.delta", { text, offset, turn_id });
    const events = [event("turn.started", {}), delta("你好", 0), delta("😀", 2), delta("a", 9, "t2"), delta("!", 3), event("reasoning.delta", { text: "hm", offset: 0 }), delta("?", 4), delta("?", 4)];
    const joined = joinedDeltas(events);
    expect(joined).toHaveLength(7);
    expect(joined[1]?.data).toMatchObject({ text: "你好😀", offset: 0 });
    expect(fold(empty, ...joined)).toEqual(fold(empty, ...events));
  });

  it("is replaced by a snapshot and goes on behind it", () => {
    const thread = fold(
      empty,
      event("turn.started", {}),
      event("message.delta", { text: "lost text", offset: 0 }),
      event("snapshot", { text: "kept" }),
      event("message.delta", { text: "!", offset: 4 }),
    );
    expect(textOf(thread)).toBe("kept!");
  });

  it("ends once: what comes later changes nothing", () => {
    const thread = fold(empty, event("turn.started", {}), event("message.delta", { text: "ab", offset: 0 }), final("ab"));
    expect(thread.running).toBeNull();
    expect(thread.rows.get(answerKey("t1"))?.live).toBeNull();
    expect(fold(thread, event("message.delta", { text: "cd", offset: 2 }), event("turn.started", {}))).toBe(thread);
  });

  it("keeps its row's key from the first token to the stored message", () => {
    const streamed = fold(empty, event("turn.started", {}), final("ab"));
    const stored = withPage(streamed, page({ messages: [message("t1", "user", "q"), message("t1", "assistant", "ab")] }), 0);
    expect(stored?.keys).toEqual([userKey("t1"), answerKey("t1")]);
  });
});

describe("a page of the server", () => {
  it("that is older than what is known is refused", () => {
    const thread = fold(empty, event("turn.started", {}), final("ab"));
    expect(withPage(thread, page({ running: "t1" }), 0)).toBeNull();
  });

  it("does not take back text that has come meanwhile", () => {
    const thread = fold(empty, event("turn.started", {}), event("message.delta", { text: "abcdef", offset: 0 }));
    const active = { turn_id: "t1", text: "abc", reasoning: "", refusal: "", tool_calls: [], last_event_id: "1.2", started_at: null };
    const next = withPage(thread, page({ running: "t1", active_turn: active, messages: [message("t1", "user", "q", "running")] }), 0);
    expect(textOf(next!)).toBe("abcdef");
    expect(next?.keys).toEqual([userKey("t1"), answerKey("t1")]);
  });

  it("keeps older rows that were loaded before", () => {
    const first = withPage(empty, page({ messages: [message("t2", "user", "b"), message("t2", "assistant", "B")], has_more: true }), 0)!;
    const loaded = withOlder(first, [message("t1", "user", "a"), message("t1", "assistant", "A")], false);
    const again = withPage(loaded, page({ messages: [message("t2", "user", "b"), message("t2", "assistant", "B")], has_more: true }), 0)!;
    expect(again.keys).toHaveLength(4);
    expect(again.older).toBe(false);
    expect(again.rows.get(userKey("t2"))).toBe(loaded.rows.get(userKey("t2")));
  });

  it("that was faster than the events of a turn stands: they show it no second time", () => {
    const stored = withPage(empty, page({ messages: [message("t1", "user", "q"), message("t1", "assistant", "ab")] }), 0)!;
    expect(apply(stored, event("turn.started", {}), 0)).toEqual([stored, false]);
    expect(apply(stored, event("message.delta", { text: "ab", offset: 0 }), 0)).toEqual([stored, false]);
    expect(fold(stored, final("ab")).keys).toEqual(stored.keys);
  });

  it("gives a turn that failed without a word a row to show it", () => {
    const thread = withPage(empty, page({ messages: [message("t1", "user", "q", "failed")] }), 0)!;
    expect(thread.rows.get(answerKey("t1"))?.facts.status).toBe("failed");
  });
});

describe("a queue", () => {
  it("gives its first to the conversation when it starts", () => {
    const queued = { turn_id: "t1", input: "hello", kind: "message", created_at: "2026-01-01T00:00:00.000Z" } as unknown as Turn;
    const thread = fold({ ...empty, queue: [queued] }, event("turn.started", {}));
    expect(thread.queue).toEqual([]);
    expect(thread.rows.get(userKey("t1"))?.content).toBe("hello");
    expect(thread.keys).toEqual([userKey("t1"), answerKey("t1")]);
  });
});

describe("a turn that was just taken", () => {
  const taken = (status: Turn["status"]) => ({ turn_id: "t1", session_id: "s", status, kind: "message", created_at: "2026-01-01T00:00:00.000Z" }) as unknown as Turn;

  it("shows at once, with what was typed", () => {
    const thread = withAccepted(empty, taken("running"), "hello", 5);
    expect(thread.keys).toEqual([userKey("t1"), answerKey("t1")]);
    expect(thread.running).toBe("t1");
  });

  it("waits in the queue when it has to", () => {
    expect(withAccepted(empty, taken("queued"), "hello", 5).queue[0]?.input).toBe("hello");
  });

  it("puts the message in front of an answer whose events were faster", () => {
    const thread = fold(empty, event("turn.started", {}), event("message.delta", { text: "ab", offset: 0 }));
    expect(withAccepted(thread, taken("running"), "hello", 5).keys).toEqual([userKey("t1"), answerKey("t1")]);
  });

  it("that has ended meanwhile still has its message", () => {
    const thread = fold(empty, event("turn.started", {}), final("ab"));
    expect(withAccepted(thread, taken("running"), "hello", 5)).toMatchObject({ keys: [userKey("t1"), answerKey("t1")], running: null });
    expect(withAccepted(fold(empty, final("ab")), taken("queued"), "hello", 5).queue).toEqual([]);
  });
});

/** Turns that run beside the path that is shown, and messages that go. */
import { describe, expect, it } from "vitest";
import type { FeedEvent } from "~/api/events";
import type { Message, SessionPage, Turn } from "~/api/types";
import { apply } from "./events";
import { answerKey, userKey } from "./rows";
import { empty, leadsOn, leftBehind, type Thread, watched, withBranch, withoutElsewhere, withPage, withTurn } from "./thread";

const usage = { prompt_tokens: 1, completion_tokens: 1, cached_tokens: 0, reasoning_tokens: 0 };
const event = (turn: string, name: string, data: Record<string, unknown> = {}) => ({ name, cursor: "", data: { turn_id: turn, session_id: "s", ...data } }) as FeedEvent;
const says = (turn: string, text: string, offset: number) => event(turn, "message.delta", { text, offset });
const ends = (turn: string) => event(turn, "turn.completed", { status: "completed", usage, message: said(turn, "assistant", `${turn} said`) });
const fold = (thread: Thread, ...events: FeedEvent[]) => events.reduce((state, one) => apply(state, one, 1000)[0], thread);
const asks = (thread: Thread, one: FeedEvent) => apply(thread, one, 1000)[1];

const said = (turn: string, role: "user" | "assistant", content: string, status: Message["status"] = "completed") =>
  ({ id: `${turn}-${role}`, session_id: "s", turn_id: turn, role, place: role === "user" ? 0 : 1, input: role === "user", content, timestamp: "", kind: "message", status, usage, siblings: ["a", "b"] }) as unknown as Message;
const ended = (turn: string) => [said(turn, "user", turn), said(turn, "assistant", `${turn} said`)];
const asked = (turn: string) => said(turn, "user", turn, "running");
const page = (more: Partial<SessionPage>): SessionPage => ({ id: "s", running: null, head: "p", messages: [], has_more: false, queue: [], cursor: "c", active_turn: null, ...more }) as unknown as SessionPage;
const active = (turn_id: string, text = "") => ({ turn_id, text, reasoning: "", refusal: "", tool_calls: [], last_event_id: "1.2", started_at: null });

/** `a` continues `p` and is being answered. */
const watching = withPage(empty, page({ running: "a", messages: [...ended("p"), asked("a")], active_turn: active("a", "so") }), 0)!;
const shown = [userKey("p"), answerKey("p"), userKey("a"), answerKey("a")];

describe("a turn that runs elsewhere", () => {
  const elsewhere = fold(watching, event("b", "turn.started", { model: "m", attempt: 1 }), says("b", "other", 0));

  it("changes nothing of what is shown, and is asked about once", () => {
    expect(asks(watching, event("b", "turn.started", {}))).toBe(true);
    expect(asks(elsewhere, says("b", "!", 5))).toBe(false);
    expect([elsewhere.keys, elsewhere.running]).toEqual([shown, "a"]);
    expect(fold(elsewhere, says("a", "me", 2)).rows.get(answerKey("a"))?.content).toBe("some");
  });

  it("is not asked about with each of its events when its beginning was missed", () => {
    expect(asks(watching, says("b", "late", 9))).toBe(true);
    const missed = fold(watching, says("b", "late", 9));
    expect(missed.keys).toEqual(shown);
    expect([asks(missed, says("b", "r", 13)), asks(missed, event("b", "tool_call.delta", { index: 4 })), asks(missed, ends("b"))]).toEqual([false, false, true]);
  });

  it("does not take the path of the answer that is watched", () => {
    const its = page({ running: "b", messages: [...ended("p"), asked("b")], active_turn: active("b") });
    expect(watched(elsewhere, its)).toBe("a");
    expect(watched(elsewhere, page({ running: "a", messages: [asked("a")], active_turn: active("a") }))).toBeNull();
    expect(watched(elsewhere, page({ running: "c", messages: [...ended("a"), asked("c")] }))).toBeNull();
    expect(watched(fold(elsewhere, ends("a")), its)).toBeNull();
  });

  it("leaves the reader where an answer has just ended", () => {
    expect(leftBehind(elsewhere, fold(elsewhere, ends("a")))).toBe("a");
    expect(leftBehind(elsewhere, fold(elsewhere, ends("b")))).toBeNull();
    expect(leftBehind(watching, fold(watching, ends("a")))).toBeNull();
    expect(leftBehind(watching, fold(withoutElsewhere(elsewhere), ends("a")))).toBeNull();
  });

  it("is shown with all that it has said when its path is", () => {
    const there = withBranch(elsewhere, [...ended("p"), asked("b")], false);
    expect(there.keys).toEqual([userKey("p"), answerKey("p"), userKey("b"), answerKey("b")]);
    expect(there.running).toBe("b");
    expect(there.rows.get(answerKey("b"))).toMatchObject({ content: "other", facts: { model: "m", siblings: ["a", "b"] } });
    expect(fold(there, says("a", "me", 2)).rows.get(answerKey("a"))?.content).toBe("some");
  });

  it("stands once on its path when a list has its end before the events do", () => {
    expect(withBranch(elsewhere, [...ended("p"), ...ended("b")], false).keys).toEqual([userKey("p"), answerKey("p"), userKey("b"), answerKey("b")]);
  });
});

describe("a turn that starts", () => {
  const rest = withPage(empty, page({ messages: ended("p") }), 0)!;
  const waiting = (more: Partial<Turn>) => ({ ...rest, queue: [{ turn_id: "a", kind: "message", input: "a", ...more } as Turn] });
  const start = event("a", "turn.started", {});

  it("is only shown where it stands", () => {
    expect(fold(rest, start).keys).toEqual([userKey("p"), answerKey("p")]);
    expect(fold(waiting({}), start).keys).toEqual(shown);
    expect(fold(waiting({ parent: "p" }), start).keys).toEqual(shown);
    expect(fold(waiting({ parent: "o" }), start)).toMatchObject({ keys: rest.keys, queue: [] });
    expect(apply(waiting({}), start, 0, false)[0].keys).toEqual(rest.keys);
  });

  it("has lost nothing of its text when the server tells where it stands", () => {
    const told = withPage(fold(rest, start, says("a", "soo", 0)), page({ running: "a", messages: [...ended("p"), asked("a")], active_turn: active("a", "so") }), 0)!;
    expect(told.keys).toEqual(shown);
    expect(told.rows.get(answerKey("a"))?.content).toBe("soo");
  });

  it("that nobody is asked to answer shows no answer", () => {
    const put = { ...asked("i"), kind: "insert" } as Message;
    expect(withPage(rest, page({ running: "i", messages: [...ended("p"), put], active_turn: active("i") }), 0)!.keys).toEqual([userKey("p"), answerKey("p"), userKey("i")]);
    expect(fold(waiting({ kind: "insert" }), start).keys).toEqual(rest.keys);
  });
});

it("a path leads on from a turn that is on it, or that is the head", () => {
  expect(leadsOn(page({ messages: ended("p") }), "p")).toBe(true);
  expect(leadsOn(page({ head: "a" }), "a")).toBe(true);
  expect(leadsOn(page({ head: "a", running: "b" }), "a")).toBe(false);
});

describe("a message that was deleted", () => {
  const [question, answer] = ended("a");
  const thread = withPage(empty, page({ messages: [...ended("p"), question!, answer!, ...ended("c")] }), 0)!;

  it("goes, and the rest of its turn stays", () => {
    expect(withTurn(thread, "a", [answer!]).keys).toEqual([userKey("p"), answerKey("p"), answerKey("a"), userKey("c"), answerKey("c")]);
    const gone = withTurn(thread, "a", []);
    expect(gone.keys).toEqual([userKey("p"), answerKey("p"), userKey("c"), answerKey("c")]);
    expect(gone.rows.has(answerKey("a"))).toBe(false);
    expect(gone.rows.get(answerKey("c"))).toBe(thread.rows.get(answerKey("c")));
  });

  it("takes nothing of the answer that is being given to its turn", () => expect(withTurn(watching, "a", []).keys).toEqual([userKey("p"), answerKey("p"), answerKey("a")]));
  it("of a turn that is not shown is nothing here", () => expect(withTurn(thread, "x", ended("x"))).toBe(thread));
});

/** Which path of a session is shown while events come: the store, with a server that is played here. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { api } from "~/api/client";
import type { FeedEvent } from "~/api/events";
import type { Message, SessionPage } from "~/api/types";
import { answerKey, userKey } from "./rows";
import { hold, sessionState, showBranch, startSessions } from "./store";

const feed = vi.hoisted(() => ({ tell: (_: unknown) => {} }));
vi.mock("~/api/client", async (original) => ({ ...(await original<typeof import("~/api/client")>()), api: { GET: vi.fn() } }));
vi.mock("~/api/feed", async (original) => ({
  ...(await original<typeof import("~/api/feed")>()),
  watch: () => () => undefined,
  onEvent: (listener: (event: unknown) => void) => (feed.tell = listener),
}));

const GET = vi.mocked(api.GET as (path: string, options: { params: { query?: Record<string, unknown> } }) => Promise<unknown>);
const usage = { prompt_tokens: 1, completion_tokens: 1, cached_tokens: 0, reasoning_tokens: 0 };
const said = (turn: string, role: "user" | "assistant", more: Partial<Message> = {}) =>
  ({ id: `${turn}-${role}`, session_id: "s", turn_id: turn, role, place: role === "user" ? 0 : 1, input: role === "user", content: `${turn} ${role}`, timestamp: "", kind: "message", status: "completed", usage, siblings: [turn], ...more }) as unknown as Message;
const ended = (turn: string) => [said(turn, "user"), said(turn, "assistant")];
const active = (turn_id: string, text: string) => ({ turn_id, text, reasoning: "", refusal: "", tool_calls: [], last_event_id: "1.2", started_at: null });

/** What the server has: its main path, and the messages of the path of each branch. */
let main: Partial<SessionPage>;
let branches: Record<string, Message[]> = {};

const tell = async (turn: string, name: string, data: Record<string, unknown> = {}) => {
  feed.tell({ name, cursor: "", data: { turn_id: turn, session_id: "s", ...data } } as unknown as FeedEvent);
  await vi.advanceTimersByTimeAsync(60);
};
const ends = (turn: string) => tell(turn, "turn.completed", { status: "completed", usage, message: said(turn, "assistant") });
const keys = () => sessionState("s")?.thread.keys;
const both = (turn: string) => [userKey(turn), answerKey(turn)];
const text = (turn: string) => sessionState("s")?.thread.rows.get(answerKey(turn))?.content;
const asked = () => GET.mock.calls.length;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { hidden: true });
  vi.stubGlobal("window", globalThis);
  GET.mockReset();
  GET.mockImplementation(async (path, { params: { query } }) => {
    const list = branches[String(query?.branch)] ?? [];
    const data = path === "/sessions/{id}" ? { id: "s", running: null, queue: [], messages: [], has_more: false, cursor: "c", active_turn: null, ...main } : { data: list.toReversed(), has_more: false, next: null };
    return { data, response: new Response() };
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
startSessions();

test("an answer that is watched stays before the reader's eyes, whatever else runs and ends; the way back leads to the main path", async () => {
  const siblings = ["a", "b"];
  main = { head: "p", running: "a", messages: [...ended("p"), said("a", "user", { status: "running" })], active_turn: active("a", "so ") };
  hold("s", false);
  await vi.advanceTimersByTimeAsync(20);
  expect(keys()).toEqual([...both("p"), ...both("a")]);

  const asking = said("b", "user", { status: "running", siblings });
  main = { head: "p", running: "b", messages: [...ended("p"), asking], active_turn: active("b", "") };
  branches = { a: [...ended("p"), said("a", "user", { status: "running", siblings })] };
  await tell("b", "turn.started");
  await tell("b", "message.delta", { text: "other", offset: 0 });
  await tell("a", "message.delta", { text: "far", offset: 3 });
  expect(keys()).toEqual([...both("p"), ...both("a")]);
  expect([text("a"), sessionState("s")?.thread.running, sessionState("s")?.branch]).toEqual(["so far", "a", "a"]);
  expect(sessionState("s")?.thread.rows.get(userKey("a"))?.facts.siblings).toEqual(siblings);

  const before = asked();
  for (let offset = 5; offset < 10; offset++) await tell("b", "message.delta", { text: ".", offset });
  expect(asked()).toBe(before);

  branches = { a: [...ended("p"), ...ended("a")] };
  main = { head: "a", running: "b", messages: [...ended("p"), asking], active_turn: active("b", "other.....") };
  await ends("a");
  expect([keys(), text("a")]).toEqual([[...both("p"), ...both("a")], "a assistant"]);

  main = { head: "b", messages: [...ended("p"), ...ended("b")] };
  await ends("b");
  expect(keys()).toEqual([...both("p"), ...both("a")]);
  await showBranch("s", null);
  expect([keys(), sessionState("s")?.branch]).toEqual([[...both("p"), ...both("b")], null]);

  main = { head: "b", running: "c", messages: [...ended("b"), said("c", "user", { status: "running" })], active_turn: active("c", "") };
  await tell("c", "turn.started");
  expect(keys()?.slice(-4)).toEqual([...both("b"), ...both("c")]);
});

test("where an answer has just ended the reader stays, though the main path is another one's that runs", async () => {
  main = { head: "b", running: "c", messages: [...ended("b"), said("c", "user", { status: "running" })], active_turn: active("c", "") };
  await tell("d", "turn.started");
  expect([keys()?.at(-1), sessionState("s")?.branch]).toEqual([answerKey("c"), null]);
  main = { head: "c", running: "d", messages: [...ended("b"), said("d", "user", { status: "running" })], active_turn: active("d", "") };
  branches = { c: [...ended("b"), ...ended("c")] };
  await ends("c");
  expect([keys()?.at(-1), sessionState("s")?.branch]).toEqual([answerKey("c"), "c"]);
});

test("the way back leads to the main path from an answer that is still given", async () => {
  await showBranch("s", null);
  expect(keys()?.at(-1)).toBe(answerKey("d"));
  main = { head: "c", running: "e", messages: [...ended("b"), said("e", "user", { status: "running" })], active_turn: active("e", "") };
  branches = { d: [...ended("b"), said("d", "user", { status: "running" })] };
  await tell("e", "turn.started");
  expect([keys()?.at(-1), sessionState("s")?.branch]).toEqual([answerKey("d"), "d"]);
  await showBranch("s", null);
  expect([keys()?.at(-1), sessionState("s")?.branch]).toEqual([answerKey("e"), null]);
  main = { head: "b", messages: [...ended("p"), ...ended("b")] };
  await ends("d");
  await ends("e");
});

test("a branch that the session goes on with is the main path again", async () => {
  main = { head: "b", messages: [...ended("p"), ...ended("b")] };
  branches = { a: [...ended("p"), ...ended("a")] };
  await showBranch("s", "a");
  expect([keys(), sessionState("s")?.branch]).toEqual([[...both("p"), ...both("a")], "a"]);
  main = { head: "b", running: "f", messages: [...ended("p"), ...ended("a"), said("f", "user", { status: "running" })], active_turn: active("f", "") };
  await tell("f", "turn.started");
  expect([keys(), sessionState("s")?.branch]).toEqual([[...both("p"), ...both("a"), ...both("f")], null]);
  main = { head: "f", messages: [...ended("p"), ...ended("a"), ...ended("f")] };
  await ends("f");
});

test("a message that another client deleted goes, wherever on the path it stands", async () => {
  branches = { a: [...ended("p"), said("a", "assistant")] };
  await tell("a", "message.deleted");
  expect(keys()).toEqual([...both("p"), answerKey("a"), ...both("f")]);
  const before = asked();
  await tell("x", "message.deleted");
  expect(asked()).toBe(before);
});

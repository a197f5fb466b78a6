import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { api } from "~/api/client";
import type { FeedEvent } from "~/api/events";
import { useLink } from "~/api/feed";
import type { SessionPage } from "~/api/types";
import { hold, loadOlder, sessionState, startSessions } from "./store";

vi.mock("~/api/client", async (original) => ({ ...(await original<typeof import("~/api/client")>()), api: { GET: vi.fn() } }));
const feed = vi.hoisted(() => [] as ((event: FeedEvent) => void)[]);
vi.mock("~/api/feed", async (original) => ({
  ...(await original<typeof import("~/api/feed")>()),
  watch: () => () => undefined,
  onEvent: (take: (event: FeedEvent) => void) => feed.push(take),
}));

const GET = vi.mocked(api.GET as () => Promise<unknown>);
const page = { id: "s", running: null, messages: [], queue: [], has_more: false, cursor: "c" } as unknown as SessionPage;
const answered = { data: page, response: new Response() };
const settled = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  // A hidden tab applies events by a timer.
  vi.stubGlobal("document", { hidden: true });
  vi.stubGlobal("window", globalThis);
  GET.mockReset();
  useLink.setState({ state: "live" });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
startSessions();

test("a session that could not be asked for is asked for again when the link is back", async () => {
  GET.mockRejectedValueOnce(new TypeError("Failed to fetch"));
  useLink.setState({ state: "lost" });
  hold("a", false);
  await settled();
  expect(sessionState("a")?.phase).toBe("loading");
  GET.mockResolvedValueOnce(answered);
  useLink.setState({ state: "live" });
  await settled();
  expect(sessionState("a")?.phase).toBe("ready");
});

test("what was deleted elsewhere goes from the rows, the older ones too", async () => {
  const ids = () => [...(sessionState("c")?.thread.rows.values() ?? [])].flatMap((row) => row.message ?? []);
  const message = (turn: string) => ({ id: turn, session_id: "c", turn_id: turn, role: "assistant", content: turn, status: "completed", siblings: [] });
  const newest = { ...answered, data: { ...page, messages: [message("t2")], has_more: true } };
  GET.mockResolvedValueOnce(newest);
  hold("c", false);
  await settled();
  GET.mockResolvedValueOnce({ ...answered, data: { data: [message("t1")], has_more: false } });
  await loadOlder("c");
  expect(ids()).toEqual(["t1", "t2"]);

  const tell = async (name: string, turn_id: string, data: unknown) => {
    GET.mockResolvedValueOnce({ ...answered, data });
    feed.forEach((take) => take({ name, cursor: "", data: { session_id: "c", turn_id } } as unknown as FeedEvent));
    await vi.advanceTimersByTimeAsync(200);
  };
  await tell("turn.queued", "t3", newest.data);
  expect(ids()).toEqual(["t1", "t2"]);
  await tell("message.deleted", "t1", { data: [], has_more: false });
  expect(ids()).toEqual(["t2"]);
});

test("a server that refuses for a moment is asked again, though the link never broke", async () => {
  GET.mockResolvedValueOnce({ response: new Response(null, { status: 503 }) }).mockResolvedValueOnce(answered);
  hold("b", false);
  await vi.advanceTimersByTimeAsync(2000);
  expect(sessionState("b")?.phase).toBe("ready");
});

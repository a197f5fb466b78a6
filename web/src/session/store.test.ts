import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { api } from "~/api/client";
import { useLink } from "~/api/feed";
import type { SessionPage } from "~/api/types";
import { hold, sessionState, startSessions } from "./store";

vi.mock("~/api/client", async (original) => ({ ...(await original<typeof import("~/api/client")>()), api: { GET: vi.fn() } }));
vi.mock("~/api/feed", async (original) => ({ ...(await original<typeof import("~/api/feed")>()), watch: () => () => undefined }));

const GET = vi.mocked(api.GET as () => Promise<unknown>);
const page = { id: "s", running: null, messages: [], queue: [], has_more: false, cursor: "c" } as unknown as SessionPage;
const answered = { data: page, response: new Response() };
const settled = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  GET.mockReset();
  useLink.setState({ state: "live" });
});
afterEach(() => vi.useRealTimers());
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

test("a server that refuses for a moment is asked again, though the link never broke", async () => {
  GET.mockResolvedValueOnce({ response: new Response(null, { status: 503 }) }).mockResolvedValueOnce(answered);
  hold("b", false);
  await vi.advanceTimersByTimeAsync(2000);
  expect(sessionState("b")?.phase).toBe("ready");
});

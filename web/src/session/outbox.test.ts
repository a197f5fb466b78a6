import { beforeEach, expect, test, vi } from "vitest";
import { api } from "~/api/client";
import { useLink } from "~/api/feed";
import { keep } from "./kept";
import { post, startOutbox, useOutbox } from "./outbox";

vi.mock("~/api/client", async (original) => ({ ...(await original<typeof import("~/api/client")>()), api: { POST: vi.fn() } }));
const { kept, here } = vi.hoisted(() => {
  const kept = new Map<string, string>();
  const here = Object.assign(new EventTarget(), { setTimeout });
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value), removeItem: (key: string) => kept.delete(key) };
  // `Object.keys` of a browser's storage are its entries.
  const localStorage = new Proxy(storage, { ownKeys: () => [...kept.keys()], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) });
  Object.assign(globalThis, { localStorage, window: here });
  return { kept, here };
});

const POST = vi.mocked(api.POST as (path: string) => Promise<unknown>);
const waiting = { session: "s", creates: null, message: "hi", branches: null };
const settled = () => new Promise((resolve) => setTimeout(resolve));
const texts = () => useOutbox.getState().sends.map(({ message }) => message);

beforeEach(() => {
  POST.mockReset().mockRejectedValue(new TypeError("Failed to fetch"));
  useLink.setState({ state: "lost" });
});
startOutbox();

test("a send waits until the server has acknowledged it, and then goes in order", async () => {
  post(waiting);
  post({ ...waiting, message: "ho" });
  await settled();
  expect([texts(), kept.size, POST.mock.calls.length]).toEqual([["hi", "ho"], 2, 1]);
  POST.mockResolvedValue({ data: {}, response: new Response() });
  useLink.setState({ state: "live" });
  await settled();
  expect([texts(), kept.size, POST.mock.calls.length]).toEqual([[], 0, 3]);
});

test("what another tab delivered or took back is not sent here", async () => {
  post(waiting);
  post({ ...waiting, message: "ho" });
  await settled();
  const [first] = useOutbox.getState().sends;
  keep(`send.${first!.key}`, null);
  here.dispatchEvent(Object.assign(new Event("storage"), { key: `turnwise.send.${first!.key}` }));
  expect(texts()).toEqual(["ho"]);
});

import { expect, test, vi } from "vitest";
import type { FeedEvent } from "./events";
import { onEvent, startFeed, useLink } from "./feed";

/** A stream that the test writes to, one for every request. */
const streams: { url: string; write: (text: string) => void; stop: AbortSignal }[] = [];
let answers = true;
vi.stubGlobal("window", new EventTarget());
vi.stubGlobal("fetch", (url: string, { signal: stop }: { signal: AbortSignal }) => {
  if (!answers) return new Promise((_, reject) => stop.addEventListener("abort", () => reject(stop.reason)));
  const body = new ReadableStream({ start: (stream) => void streams.push({ url, stop, write: (text) => stream.enqueue(new TextEncoder().encode(text)) }) });
  return Promise.resolve(new Response(body));
});
vi.useFakeTimers();

const state = () => useLink.getState().state;

test("a link that falls silent is lost, and tried until it answers, behind the last event", async () => {
  const told: FeedEvent[] = [];
  onEvent((event) => told.push(event));
  startFeed();
  await vi.advanceTimersByTimeAsync(100);
  streams[0]!.write('id: 7\nevent: session.deleted\ndata: {"session_id":"a"}\n\n');
  await vi.advanceTimersByTimeAsync(30_000);
  expect([state(), told.map(({ name }) => name)]).toEqual(["live", ["reset", "session.deleted"]]);

  answers = false;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(state()).toBe("lost");

  answers = true;
  await vi.advanceTimersByTimeAsync(30_000);
  expect([state(), streams.at(-1)!.url]).toEqual(["live", "/events?after=7"]);
});

test("an offline browser is told from a server that does not answer: it may be on the same machine", async () => {
  window.dispatchEvent(new Event("offline"));
  expect(state()).toBe("live");
  await vi.advanceTimersByTimeAsync(100);
  expect(state()).toBe("live");
  answers = false;
  window.dispatchEvent(new Event("offline"));
  await vi.advanceTimersByTimeAsync(20_000);
  expect(state()).toBe("lost");
});

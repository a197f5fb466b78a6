import { expect, test, vi } from "vitest";
import type { FeedEvent } from "./events";
import { refusal } from "./client";
import { onEvent, reconnect, startFeed, useLink } from "./feed";

/** A stream that the test writes to, one for every request. */
const streams: { url: string; write: (text: string) => void; stop: AbortSignal }[] = [];
let answers = true;
vi.stubGlobal("window", new EventTarget());
const page = Object.assign(new EventTarget(), { hidden: false });
vi.stubGlobal("document", page);
const tabs = vi.hoisted(() => ({ count: 1 }));
vi.mock("./tabs", () => ({ tabs: () => Promise.resolve(tabs.count) }));
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

test("among many tabs one that nobody sees gives up its stream, and goes on behind the last event when it is seen", async () => {
  answers = true;
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(100);
  const mine = streams.at(-1)!;
  page.hidden = true;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(mine.stop.aborted, "few tabs leave room for all").toBe(false);
  tabs.count = 5;
  await vi.advanceTimersByTimeAsync(60_000);
  expect([mine.stop.aborted, streams.at(-1) === mine, state()]).toEqual([true, true, "live"]);
  page.hidden = false;
  page.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(100);
  expect(streams.at(-1)!.url).toBe("/events?after=7");
});

test("a refusal of any request ends the stream, until there is a key", async () => {
  const mine = streams.at(-1)!;
  refusal(new Response(null, { status: 401 }), undefined);
  expect([state(), mine.stop.aborted]).toEqual(["refused", true]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(streams.at(-1)).toBe(mine);
  reconnect();
  await vi.advanceTimersByTimeAsync(100);
  expect(state()).toBe("live");
});

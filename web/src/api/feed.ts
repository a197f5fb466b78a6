/**
 * The tab's one event stream. A browser has six connections for a host, so all panes share `GET /events`;
 * a change of the watched sessions opens the stream again behind the last cursor.
 */
import { create } from "zustand";
import { onRefused, refusal } from "./client";
import type { FeedEvent } from "./events";
import { splitter } from "./sse";
import { tabs } from "./tabs";

/** `live`: events arrive. `lost`: the server does not answer, since `since` (ms). `refused`: it wants a key. */
export const useLink = create<{ state: "connecting" | "live" | "lost" | "refused"; since: number }>(() => ({
  state: "connecting",
  since: 0,
}));

const RETRY_MS = [250, 500, 1000, 1000, 2000];
/** The server comments every 15 s; a link that says nothing for longer is dead. */
const SILENCE_MS = 40_000;
/** With more tabs than this, those that nobody sees do without a stream, so that connections are left for the others. */
const STREAMS_MAX = 3;
/** A server that is there answers sooner. */
const CONNECT_MS = 10_000;

const listeners = new Set<(event: FeedEvent) => void>();
const watched = new Map<string, number>();
let cursor: string | null = null;
let running: AbortController | null = null;
let restart: ReturnType<typeof setTimeout> | undefined;
let failures = 0;
/** When the link gave a sign of life, and how long it may be without another. */
let heardAt = 0;
let patience = CONNECT_MS;
/** Nobody sees this tab, and there are many: it catches up when it is looked at. */
let resting = false;

export function onEvent(listener: (event: FeedEvent) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const tell = (event: FeedEvent) => listeners.forEach((listener) => listener(event));

/** Told of every event of this session from now on, until the returned function is called. */
export function watch(session: string): () => void {
  watched.set(session, (watched.get(session) ?? 0) + 1);
  if (watched.get(session) === 1) reopen();
  return () => {
    const left = (watched.get(session) ?? 1) - 1;
    if (left > 0) watched.set(session, left);
    else watched.delete(session);
  };
}

export function startFeed(): void {
  // The browser knows of networks only: a server on this machine answers without one.
  window.addEventListener("offline", reconnect);
  window.addEventListener("online", reconnect);
  document.addEventListener("visibilitychange", () => resting && !document.hidden && reconnect());
  onRefused(() => {
    running?.abort();
    useLink.setState({ state: "refused", since: Date.now() });
  });
  setInterval(() => void check(), 5000);
  reopen();
}

async function check(): Promise<void> {
  if (resting || useLink.getState().state === "refused") return;
  if (document.hidden && (await tabs()) > STREAMS_MAX) {
    resting = true;
    running?.abort();
  } else if (Date.now() - heardAt >= patience) {
    lost();
    reopen(0);
  }
}

/** Where the feed stands for what was just fetched: a stream that is opened later misses nothing since. */
export function from(where: string): void {
  cursor ??= where;
}

/** Connects again at once. */
export function reconnect(): void {
  failures = 0;
  reopen(0);
}

function lost(): void {
  if (useLink.getState().state !== "lost") useLink.setState({ state: "lost", since: Date.now() });
}

function reopen(delay = 20): void {
  clearTimeout(restart);
  resting = false;
  heardAt = Date.now();
  patience = CONNECT_MS;
  restart = setTimeout(() => {
    running?.abort();
    running = new AbortController();
    void follow(running.signal);
  }, delay);
}

async function follow(stop: AbortSignal): Promise<void> {
  await read(stop).catch(() => undefined);
  if (stop.aborted) return;
  lost();
  reopen(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
}

async function read(stop: AbortSignal): Promise<void> {
  const query = new URLSearchParams();
  if (watched.size > 0) query.set("watch", [...watched.keys()].slice(-64).join(","));
  if (cursor) query.set("after", cursor);
  const response = await fetch(`/events?${query}`, { signal: stop, headers: { accept: "text/event-stream" }, cache: "no-store" });
  if (!response.ok || !response.body) throw refusal(response, await response.json().catch(() => undefined));
  failures = 0;
  heardAt = Date.now();
  patience = SILENCE_MS;
  useLink.setState({ state: "live", since: heardAt });
  // A stream that begins now may have missed what came before it: everybody looks afresh.
  if (!cursor) tell({ name: "reset", cursor: "", data: { cursor: "" } });
  const feed = splitter(({ id, name, data }) => {
    const event = { name, cursor: id, data: JSON.parse(data) } as FeedEvent;
    cursor = event.name === "reset" ? event.data.cursor : id || cursor;
    tell(event);
  });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done || stop.aborted) return;
    heardAt = Date.now();
    feed(value);
  }
}

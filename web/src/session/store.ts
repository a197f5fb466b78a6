/**
 * The sessions that are open in this tab: one small store each, fed by the tab's event stream. Events are applied once
 * per frame; what they leave open is fetched.
 */
import { createStore, type StoreApi, useStore } from "zustand";
import { ApiError, api, ask } from "~/api/client";
import type { FeedEvent } from "~/api/events";
import { from, onEvent, useLink, watch } from "~/api/feed";
import type { Answer, Content, Turn } from "~/api/types";
import { apply, joinedDeltas, withAccepted } from "./events";
import { empty, sessionOf, type Thread, withBranch, withOlder, withPage } from "./thread";

/** `fresh`: made in this browser, the server does not know it yet. `deleted`: while it was open here. */
type Phase = "loading" | "fresh" | "ready" | "missing" | "deleted" | "failed";

interface OpenSession {
  id: string;
  phase: Phase;
  error: ApiError | null;
  thread: Thread;
  /** The last turn of the path that is shown, when that is not the head's. */
  branch: string | null;
  loadingOlder: boolean;
}

interface Entry {
  store: StoreApi<OpenSession>;
  users: number;
  unwatch: () => void;
  pending: FeedEvent[];
  /** Counts starts and ends of turns: a page that was asked for before one of them is out of date. */
  changes: number;
  asking: boolean;
  askAgain: boolean;
  /** Something that was said is gone: rows that were loaded before are not to be kept. */
  anew: boolean;
  /** The last question got no answer: it is put again when the link is back. */
  unanswered: boolean;
}

/** A session that nobody shows any more is remembered for a while: people switch back and forth. */
const REMEMBERED_MS = 60_000;
const PAGE = 50;

const entries = new Map<string, Entry>();

/** Opens a session until the returned function is called. */
export function hold(id: string, fresh: boolean): () => void {
  const entry = entries.get(id) ?? make(id, fresh);
  entry.users++;
  return () => {
    entry.users--;
    setTimeout(() => {
      if (entry.users > 0 || entries.get(id) !== entry) return;
      entries.delete(id);
      entry.unwatch();
    }, REMEMBERED_MS);
  };
}

function make(id: string, fresh: boolean): Entry {
  const store = createStore<OpenSession>(() => ({
    id,
    phase: fresh ? "fresh" : "loading",
    error: null,
    thread: empty,
    branch: null,
    loadingOlder: false,
  }));
  const entry: Entry = { store, users: 0, unwatch: watch(id), pending: [], changes: 0, asking: false, askAgain: false, anew: false, unanswered: false };
  entries.set(id, entry);
  if (!fresh) void refresh(id);
  return entry;
}

const never = createStore<OpenSession>(() => ({ id: "", phase: "loading", error: null, thread: empty, branch: null, loadingOlder: false }));

/** Part of an open session's state; renders again only when that part changes. */
export function useSession<T>(id: string, pick: (session: OpenSession) => T): T {
  return useStore(entries.get(id)?.store ?? never, pick);
}

export const sessionState = (id: string): OpenSession | undefined => entries.get(id)?.store.getState();

const set = (entry: Entry, change: Partial<OpenSession>) => entry.store.setState(change);

/* ---- events ---- */

let frame = 0;

export function startSessions(): void {
  onEvent((event) => {
    if (event.name === "reset") {
      for (const [id, entry] of entries) if (entry.store.getState().phase !== "fresh") void refresh(id);
      return;
    }
    const entry = entries.get(event.data.session_id);
    if (!entry) return;
    entry.pending.push(event);
    schedule();
  });
  useLink.subscribe(({ state }) => {
    for (const [id, entry] of entries) if (state === "live" && entry.unanswered) void refresh(id);
  });
}

/** Once per frame; a hidden tab gets no frames, so a timer stands in. */
function schedule(): void {
  if (frame) return;
  frame = document.hidden ? window.setTimeout(flush, 50) : requestAnimationFrame(flush);
  if (!document.hidden) setTimeout(() => frame && document.hidden && flush(), 100);
}

function flush(): void {
  frame = 0;
  const now = Date.now();
  for (const [id, entry] of entries) {
    if (entry.pending.length === 0) continue;
    const { branch } = entry.store.getState();
    let { thread } = entry.store.getState();
    let open = false;
    for (const event of joinedDeltas(entry.pending.splice(0))) {
      if (event.name === "session.deleted") set(entry, { phase: "deleted" });
      if (event.name === "message.deleted") {
        entry.anew = true;
        open = true;
        continue;
      }
      if (branch !== null && event.name.startsWith("turn.")) open = true;
      if (branch !== null) continue;
      const [next, need] = apply(thread, event, now);
      if (next.running !== thread.running || next.ended !== thread.ended) entry.changes++;
      thread = next;
      open ||= need;
    }
    set(entry, { thread });
    if (open) void refresh(id);
  }
}

/* ---- what is fetched ---- */

/** Asks for the session as it stands; at most one question at a time, and one more for all that came meanwhile. */
export async function refresh(id: string): Promise<void> {
  const entry = entries.get(id);
  if (!entry) return;
  if (entry.asking) {
    entry.askAgain = true;
    return;
  }
  entry.asking = true;
  entry.unanswered = false;
  const changes = entry.changes;
  const anew = entry.anew;
  entry.anew = false;
  try {
    const page = await ask(api.GET("/sessions/{id}", { params: { path: { id } } }));
    from(page.cursor);
    const state = entry.store.getState();
    if (state.branch !== null) {
      set(entry, { thread: { ...state.thread, session: sessionOf(page), queue: page.queue, running: page.running ?? null } });
      if (anew) await showBranch(id, state.branch);
    } else {
      const known = anew ? { ...state.thread, keys: [] } : state.thread;
      const thread = entry.changes === changes ? withPage(known, page, Date.now()) : null;
      if (thread) set(entry, { thread, phase: "ready", error: null });
      else entry.askAgain = true;
      entry.anew ||= anew && !thread;
    }
  } catch (cause) {
    entry.anew ||= anew;
    if (cause instanceof ApiError) failed(entry, cause);
    else throw cause;
  } finally {
    entry.asking = false;
    if (entry.askAgain) {
      entry.askAgain = false;
      void refresh(id);
    }
  }
}

const AGAIN_MS = 1000;

function failed(entry: Entry, error: ApiError): void {
  const { id, phase } = entry.store.getState();
  if (error.status === 404) return set(entry, phase === "fresh" || phase === "deleted" ? {} : { phase: "missing" });
  // Without a link the banner says so.
  entry.unanswered = error.unsent || error.status === 401;
  if (!entry.unanswered && phase === "loading") return set(entry, { phase: "failed", error });
  if (error.unsent && useLink.getState().state === "live") setTimeout(() => entry.unanswered && void refresh(id), AGAIN_MS);
}

/** Loads what came before the first row. */
export async function loadOlder(id: string): Promise<void> {
  const entry = entries.get(id);
  const state = entry?.store.getState();
  if (!entry || !state || state.loadingOlder || !state.thread.older) return;
  const first = firstMessage(state.thread);
  if (!first) return;
  set(entry, { loadingOlder: true });
  try {
    const query = { before: first, limit: PAGE, ...(state.branch ? { branch: state.branch } : {}) };
    const list = await ask(api.GET("/sessions/{id}/messages", { params: { path: { id }, query } }));
    // What came meanwhile may begin elsewhere: these are not what stands before it.
    const now = entry.store.getState();
    if (now.branch === state.branch && firstMessage(now.thread) === first) {
      set(entry, { thread: withOlder(now.thread, list.data, list.has_more) });
    }
  } finally {
    set(entry, { loadingOlder: false });
  }
}

function firstMessage({ keys, rows }: Thread): string | undefined {
  const key = keys.find((one) => rows.get(one)?.message);
  return key && (rows.get(key)?.message ?? undefined);
}

/** Shows the path that ends with this turn; `null` goes back to the head's. Nothing changes on the server. */
export async function showBranch(id: string, branch: string | null): Promise<void> {
  const entry = entries.get(id);
  if (!entry) return;
  if (branch === null || branch === entry.store.getState().thread.session?.head) {
    set(entry, { branch: null });
    return refresh(id);
  }
  const query = { branch, limit: PAGE, order: "desc" as const };
  const list = await ask(api.GET("/sessions/{id}/messages", { params: { path: { id }, query } }));
  set(entry, { branch, thread: withBranch(entry.store.getState().thread, list.data.toReversed(), list.has_more) });
}

/* ---- what was just done here ---- */

/** A turn that the server has just taken. It is on the head's path: that is what is shown from now on. */
export function accepted(id: string, turn: Turn | Answer, content: Content | null): void {
  const entry = entries.get(id);
  // An answer is what those get who wait for it.
  if (!entry || !("kind" in turn)) return;
  const { thread, branch } = entry.store.getState();
  entry.changes++;
  set(entry, { phase: "ready", branch: null, thread: branch === null ? withAccepted(thread, turn, content, Date.now()) : thread });
  void refresh(id);
}

/**
 * The sessions that are open in this tab: one small store each, fed by the tab's event stream. Events are applied once
 * per frame; what they leave open is fetched.
 */
import { createStore, type StoreApi, useStore } from "zustand";
import { ApiError, api, ask } from "~/api/client";
import type { FeedEvent } from "~/api/events";
import { from, onEvent, useLink, watch } from "~/api/feed";
import type { Answer, Content, Message, SessionPage, Turn } from "~/api/types";
import { apply, joinedDeltas, withAccepted } from "./events";
import { empty, leadsOn, leftBehind, type Thread, watched, withBranch, withOlder, withoutElsewhere, withPage, withSession, withTurn } from "./thread";

/** `fresh`: made in this browser, the server does not know it yet. `deleted`: while it was open here. */
type Phase = "loading" | "fresh" | "ready" | "missing" | "deleted" | "failed";

interface OpenSession {
  id: string;
  phase: Phase;
  error: ApiError | null;
  thread: Thread;
  /** The last turn of the path that is shown, when that is not the session's main path. */
  branch: string | null;
  loadingOlder: boolean;
}

interface Entry {
  store: StoreApi<OpenSession>;
  users: number;
  unwatch: () => void;
  pending: FeedEvent[];
  /** Counts starts and ends of turns, and messages that went: a page that was asked for before one of them is out of date. */
  changes: number;
  asking: boolean;
  askAgain: boolean;
  /** The reader wants the main path, whatever is being answered where they are. */
  homeward: boolean;
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
  const entry: Entry = { store, users: 0, unwatch: watch(id), pending: [], changes: 0, asking: false, askAgain: false, homeward: false, unanswered: false };
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
      for (const [id, entry] of entries) lookAfresh(id, entry);
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

function lookAfresh(id: string, entry: Entry): void {
  const { phase, thread } = entry.store.getState();
  if (phase === "fresh") return;
  set(entry, { thread: withoutElsewhere(thread) });
  void refresh(id);
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
    let { thread, branch } = entry.store.getState();
    let open = false;
    for (const event of joinedDeltas(entry.pending.splice(0))) {
      if (event.name === "session.deleted") set(entry, { phase: "deleted" });
      if (event.name === "message.deleted") void reread(id, entry, event.data.turn_id);
      const [next, need] = apply(thread, event, now, branch === null);
      const turns = event.name === "turn.started" || next.ended !== thread.ended;
      if (turns) entry.changes++;
      branch ??= leftBehind(thread, next);
      thread = next;
      open ||= need || (turns && branch !== null);
    }
    set(entry, { thread, branch });
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
  const { changes } = entry;
  try {
    const page = await ask(api.GET("/sessions/{id}", { params: { path: { id } } }));
    from(page.cursor);
    const branch = branchFor(entry, page);
    const list = branch === null ? null : await path(id, branch);
    const thread = entry.changes === changes && branchFor(entry, page) === branch ? shown(entry, page, list) : null;
    if (!thread) entry.askAgain = true;
    else {
      entry.homeward = false;
      set(entry, { thread, branch, phase: "ready", error: null });
    }
  } catch (cause) {
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

/** The turn whose path is to be shown; `null` is the main path. */
function branchFor(entry: Entry, page: SessionPage): string | null {
  const { branch, thread } = entry.store.getState();
  if (branch !== null) return leadsOn(page, branch) ? null : branch;
  return entry.homeward ? null : watched(thread, page);
}

function shown(entry: Entry, page: SessionPage, list: Path | null): Thread | null {
  const { thread } = entry.store.getState();
  return list ? withBranch(withSession(thread, page), list.messages, list.more) : withPage(thread, page, Date.now());
}

interface Path {
  messages: Message[];
  more: boolean;
}

/** The newest messages of the path that ends with a turn. */
async function path(id: string, branch: string, after?: string, limit = PAGE): Promise<Path> {
  const query = { branch, limit, order: "desc" as const, ...(after ? { after } : {}) };
  const list = await ask(api.GET("/sessions/{id}/messages", { params: { path: { id }, query } }));
  return { messages: list.data.toReversed(), more: list.has_more };
}

/** A message of this turn was deleted: what is left of it is asked for, wherever on the path it stands. */
async function reread(id: string, entry: Entry, turn: string): Promise<void> {
  entry.changes++;
  const stands = () => entry.store.getState().thread.keys.some((key) => key.startsWith(`${turn}/`));
  try {
    for (let changes = -1; stands() && changes !== entry.changes; ) {
      changes = entry.changes;
      const messages = await messagesOf(id, turn);
      if (changes === entry.changes) set(entry, { thread: withTurn(entry.store.getState().thread, turn, messages) });
    }
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause;
    void refresh(id);
  }
}

const TURN_PAGE = 100;

/** They are the last of the path that ends with their turn. */
async function messagesOf(id: string, turn: string): Promise<Message[]> {
  const found: Message[] = [];
  for (let more = true; more; ) {
    const list = await path(id, turn, found[0]?.id, TURN_PAGE);
    const its = list.messages.filter((message) => message.turn_id === turn);
    found.unshift(...its);
    more = list.more && its.length === list.messages.length;
  }
  return found;
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

/** Shows the path that ends with this turn; `null` goes back to the main one. Nothing changes on the server. */
export async function showBranch(id: string, branch: string | null): Promise<void> {
  const entry = entries.get(id);
  if (!entry) return;
  const { session } = entry.store.getState().thread;
  if (branch === null || branch === (session?.running ?? session?.head)) {
    entry.homeward = true;
    set(entry, { branch: null });
    return refresh(id);
  }
  const { messages, more } = await path(id, branch);
  set(entry, { branch, thread: withBranch(entry.store.getState().thread, messages, more) });
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

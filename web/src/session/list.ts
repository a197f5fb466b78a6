/** The sessions that there are, as the sidebar lists them, kept current by the feed. */
import { create } from "zustand";
import { api, ask } from "~/api/client";
import type { FeedEvent } from "~/api/events";
import { onEvent, useLink } from "~/api/feed";
import type { Session } from "~/api/types";
import { sessionOf } from "./thread";

export type ListKind = "active" | "archived";

interface Pages {
  /** Where the list goes on; `null` at its end, `undefined` before the first page. */
  next: string | null | undefined;
  /** `failed`: the last page could not be had. */
  state: "idle" | "loading" | "failed";
}

interface List {
  /** Every session that was loaded, by id. */
  sessions: Record<string, Session>;
  pages: Record<ListKind, Pages>;
}

const PAGE = 100;
const unasked: Pages = { next: undefined, state: "idle" };
const kinds: ListKind[] = ["active", "archived"];

export const useList = create<List>(() => ({ sessions: {}, pages: { active: unasked, archived: unasked } }));

export function startList(): void {
  onEvent(take);
  // From here on events tell what changes: the list is asked for once they come, whether or not they begin with a reset.
  useLink.subscribe(({ state }) => {
    const { active, archived } = useList.getState().pages;
    const lacking = (active.next === undefined && active.state === "idle") || active.state === "failed" || archived.state === "failed";
    if (state === "live" && lacking) reloadSoon();
  });
}

/** Counts the times that the list began anew: a page of the time before does not go on with it. */
let generation = 0;

/** The next page of a list. */
export async function loadMore(kind: ListKind): Promise<void> {
  const { next, state } = useList.getState().pages[kind];
  if (state === "loading" || next === null) return;
  const mine = generation;
  setPages(kind, { next, state: "loading" });
  try {
    const query = { limit: PAGE, archived: kind === "archived", ...(next ? { after: next } : {}) };
    const page = await ask(api.GET("/sessions", { params: { query } }));
    if (mine !== generation) return;
    put(...page.data);
    setPages(kind, { next: page.has_more ? page.next : null, state: "idle" });
  } catch {
    if (mine === generation) setPages(kind, { next, state: "failed" });
  }
}

const setPages = (kind: ListKind, pages: Pages): void => useList.setState((list) => ({ pages: { ...list.pages, [kind]: pages } }));

const later = (a: string, b: string): number => (a < b ? 1 : a > b ? -1 : 0);

/** Pinned first, then the newest activity. */
export function sorted(sessions: Record<string, Session>, archived: boolean): Session[] {
  const shown = Object.values(sessions).filter((session) => session.archived === archived);
  return shown.sort((a, b) => Number(b.pinned) - Number(a.pinned) || later(a.active_at, b.active_at) || later(a.id, b.id));
}

export function put(...sessions: Session[]): void {
  if (sessions.length === 0) return;
  useList.setState((list) => ({ sessions: { ...list.sessions, ...Object.fromEntries(sessions.map((one) => [one.id, one])) } }));
}

export function forget(id: string): void {
  useList.setState(({ sessions: { [id]: _, ...rest } }) => ({ sessions: rest }));
}

/* ---- events ---- */

function take(event: FeedEvent): void {
  if (event.name === "reset") return reloadSoon();
  if (!/^(session|queue|turn)\./.test(event.name)) return;
  const id = event.data.session_id;
  events.set(id, (events.get(id) ?? 0) + 1);
  if (event.name === "session.deleted") return forget(id);
  if ("session" in event.data && event.data.session) return put(event.data.session);
  const session = useList.getState().sessions[id];
  if (session) put({ ...session, ...changed(event, session) });
  if (!session || event.name !== "queue.changed" || event.data.queued === null) touch(id);
}

/** What an event says by itself; the rest is asked for. */
function changed({ name, data }: FeedEvent, session: Session): Partial<Session> {
  switch (name) {
    case "turn.started":
      return { running: data.turn_id };
    case "queue.changed":
      return data.queued === null ? {} : { queued: data.queued, paused: data.paused === true };
    case "turn.completed":
    case "turn.failed":
    case "turn.cancelled":
    case "turn.incomplete":
      return session.running === data.turn_id ? { running: null } : {};
    default:
      return {};
  }
}

/** Counts what was heard of a session: an answer that was on its way meanwhile is out of date. */
const events = new Map<string, number>();
const touched = new Set<string>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Asks for a session again, soon: several events of one moment make one question. */
function touch(id: string): void {
  touched.add(id);
  timer ??= setTimeout(() => {
    timer = undefined;
    const ids = [...touched];
    touched.clear();
    for (const one of ids) void fetchOne(one);
  }, 60);
}

async function fetchOne(id: string): Promise<void> {
  const heard = events.get(id);
  const page = await ask(api.GET("/sessions/{id}", { params: { path: { id }, query: { limit: 0 } } })).catch(() => null);
  if (!page) return;
  if (events.get(id) !== heard) return touch(id);
  put(sessionOf(page));
}

let wanted = false;

/** A link that comes up with a reset asks once. */
function reloadSoon(): void {
  if (wanted) return;
  wanted = true;
  queueMicrotask(() => {
    wanted = false;
    void reload();
  });
}

/** The feed begins, or has a gap: what is listed is asked for again. */
async function reload(): Promise<void> {
  generation++;
  const { sessions: before, pages } = useList.getState();
  const listed = kinds.filter((kind) => kind === "active" || pages[kind] !== unasked);
  useList.setState({ pages: { active: unasked, archived: unasked } });
  await Promise.all([...listed.map(loadMore), loadPinned()]);
  const { sessions, pages: { active } } = useList.getState();
  if (active.state === "idle") useList.setState({ sessions: withoutGone(before, sessions, active.next ?? null) });
}

/** Pinned sessions stand first, however long ago they were used. */
async function loadPinned(): Promise<void> {
  const page = await ask(api.GET("/sessions", { params: { query: { limit: PAGE, pinned: true } } })).catch(() => null);
  if (page) put(...page.data);
}

/** Drops what was listed before and should have come again with the first page, but did not. `last` is that page's end. */
export function withoutGone(before: Record<string, Session>, now: Record<string, Session>, last: string | null): Record<string, Session> {
  const end = last ? (now[last]?.active_at ?? "") : "";
  const gone = (one: Session) => before[one.id] === one && !one.archived && one.active_at > end;
  return Object.fromEntries(Object.entries(now).filter(([, one]) => !gone(one)));
}

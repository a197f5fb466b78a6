/** What a user can do to a session or a turn. Each shows at once where it can, and says what failed. */
import { api, ask } from "~/api/client";
import type { Content, Session } from "~/api/types";
import { currentWords } from "~/i18n";
import { toast, toastError } from "~/ui/toasts";
import { clearDraft, draftOf } from "./drafts";
import { forget, put, useList } from "./list";
import { post } from "./outbox";
import { accepted, refresh, sessionState, showBranch } from "./store";

const path = (id: string) => ({ params: { path: { id } } });

/** Runs what a click asked for; a failure becomes a note, never a crash. */
export async function attempt(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (cause) {
    toastError(cause);
    return false;
  }
}

/* ---- turns ---- */

/**
 * Sends what stands in the composer of this session. Nothing is lost: it is in the outbox before the draft goes.
 * A session that begins by it keeps the config that is the default now.
 */
export function send(session: string, message: Content, defaultConfig: string | null): void {
  const state = sessionState(session);
  const draft = draftOf(session);
  const last = state?.branch ?? null;
  const branches = draft.edits ?? (last ? { parent: last } : null);
  post({ session, creates: state?.phase === "fresh" ? { config_id: draft.config ?? defaultConfig } : null, message, branches });
  clearDraft(session);
}

/** Stops the running answer; what it said stays. */
export async function stop(session: string): Promise<void> {
  const turn = sessionState(session)?.thread.running;
  if (turn) await attempt(ask(api.POST("/turns/{id}/cancel", path(turn))));
}

async function rerun(session: string, turn: string, route: "/turns/{id}/retry" | "/turns/{id}/continue", config_id?: string): Promise<void> {
  const body = { wait: false, ...(config_id ? { config_id } : {}) };
  await attempt(
    ask(api.POST(route, { ...path(turn), body })).then(async (made) => {
      accepted(session, made, null);
      await refresh(session);
    }),
  );
}

/** Answers again, beside the answer that there is. */
export const retry = (session: string, turn: string, config?: string) => rerun(session, turn, "/turns/{id}/retry", config);
/** Lets the model go on where an answer stopped. */
export const goOn = (session: string, turn: string) => rerun(session, turn, "/turns/{id}/continue");

/* ---- the queue ---- */

export const editQueued = (turn: string, message: Content) => attempt(ask(api.PATCH("/turns/{id}", { ...path(turn), body: { message } })));
export const moveQueued = (turn: string, position: number) => attempt(ask(api.PATCH("/turns/{id}", { ...path(turn), body: { position } })));
export const removeQueued = (turn: string) => attempt(ask(api.POST("/turns/{id}/cancel", path(turn))));
export const resumeQueue = (session: string) => attempt(ask(api.POST("/sessions/{id}/resume", path(session))));

/** Runs a waiting turn at once: to the front, the running one stopped, a pause lifted. */
export async function sendNow(session: string, turn: string): Promise<void> {
  const running = sessionState(session)?.thread.running;
  await attempt(
    (async () => {
      await ask(api.PATCH("/turns/{id}", { ...path(turn), body: { position: 0 } }));
      if (running) await ask(api.POST("/turns/{id}/cancel", path(running)));
      await ask(api.POST("/sessions/{id}/resume", path(session)));
    })(),
  );
}

/* ---- branches ---- */

/** Shows the newest path that goes through a turn. */
export async function showTurn(session: string, turn: string): Promise<void> {
  await attempt(newestThrough(session, turn).then((leaf) => showBranch(session, leaf)));
}

/** The last of those that continue a turn, one after the other: turns are listed by number, so one pass finds it. */
async function newestThrough(session: string, turn: string): Promise<string> {
  const through = new Set([turn]);
  let leaf = turn;
  for (let after: string | null = turn; after; ) {
    const query: { after: string; limit: number; order: "asc" } = { after, limit: 100, order: "asc" };
    const page = await ask(api.GET("/sessions/{id}/turns", { params: { path: { id: session }, query } }));
    for (const one of page.data) {
      if (one.parent && through.has(one.parent) && one.status !== "queued") {
        through.add(one.turn_id);
        leaf = one.turn_id;
      }
    }
    after = page.has_more ? (page.next ?? null) : null;
  }
  return leaf;
}

export const backToMain = (session: string) => attempt(showBranch(session, null));
/** Makes the path that is shown the one that goes on. */
export async function makeMain(session: string): Promise<void> {
  const branch = sessionState(session)?.branch;
  if (branch && (await change(session, { head: branch }))) await showBranch(session, null);
}

/* ---- sessions ---- */

type Change = Partial<Pick<Session, "title" | "pinned" | "archived" | "config_id" | "head">>;

export async function change(session: string, body: Change): Promise<boolean> {
  const before = useList.getState().sessions[session];
  if (before) put({ ...before, ...body });
  const done = await attempt(ask(api.PATCH("/sessions/{id}", { ...path(session), body })));
  if (!done && before) put(before);
  if (done) void refresh(session);
  return done;
}

/** Deletes a session; for a while the note at the foot can take it back. */
export async function remove(session: Session): Promise<void> {
  forget(session.id);
  const done = await attempt(ask(api.DELETE("/sessions/{id}", path(session.id))));
  if (!done) return put(session);
  const words = currentWords();
  toast(words.sidebar.deleted(session.title ?? words.app.untitled), { name: words.app.undo, run: () => void restore(session) });
}

async function restore(session: Session): Promise<void> {
  if (!(await attempt(ask(api.POST("/sessions/{id}/restore", path(session.id)))))) return;
  put({ ...session, running: null, queued: 0 });
  void refresh(session.id);
}

/** Hands the whole session to the browser as a file. */
export async function download(session: Session, format: "json" | "markdown"): Promise<void> {
  const link = document.createElement("a");
  link.href = `/sessions/${encodeURIComponent(session.id)}/export?format=${format}`;
  link.download = "";
  link.click();
}

/** What is typed and not sent, for every session, across reloads. */
import { create } from "zustand";
import type { Part } from "~/api/types";
import { all, keep, read } from "./kept";
import { imagesOf, textOf } from "./message";
import { sessionState } from "./store";
import type { Row } from "./rows";

export interface Draft {
  text: string;
  /** Images that go with the text. */
  parts: Part[];
  /** The config that a new session is going to use. */
  config: string | null;
  /** A message is being edited, whose turn continues `parent`: sending makes a branch beside it. */
  edits: { parent: string | null } | null;
  /** What stood here before the edit began: it comes back when the edit is sent or given up. */
  before: { text: string; parts: Part[] } | null;
}

const blank: Draft = { text: "", parts: [], config: null, edits: null, before: null };
const KEPT_AFTER_MS = { short: 150, long: 1000 };
const LONG = 100_000;
/** So many drafts of sessions that were never begun are kept. */
const FRESH_MAX = 20;

const useDrafts = create<Record<string, Draft>>(() => ({}));

export const draftOf = (session: string): Draft => useDrafts.getState()[session] ?? { ...blank, ...read<Draft>(`draft.${session}`) };

export function useDraft(session: string): Draft {
  const draft = useDrafts((drafts) => drafts[session]);
  return draft ?? load(session);
}

function load(session: string): Draft {
  const draft = draftOf(session);
  useDrafts.getState()[session] = draft;
  return draft;
}

export function setDraft(session: string, change: Partial<Draft>): void {
  const old = draftOf(session);
  const before = change.edits && !old.edits ? { text: old.text, parts: old.parts } : old.before;
  useDrafts.setState({ [session]: { ...old, before, ...change } });
  keepSoon(session);
}

/** The draft that edits a message. */
export const editOf = ({ content, facts }: Row): Pick<Draft, "text" | "parts" | "edits"> => ({
  text: textOf(content),
  parts: imagesOf(content),
  edits: { parent: facts.parent },
});

/** Empties the composer, or ends an edit and brings back what stood there before it. */
export function clearDraft(session: string): void {
  const { before } = draftOf(session);
  setDraft(session, { text: before?.text ?? "", parts: before?.parts ?? [], edits: null, before: null });
}

const due = new Set<string>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** A long text is not written with every key, but always before the page goes. */
function keepSoon(session: string): void {
  due.add(session);
  timer ??= setTimeout(keepDue, draftOf(session).text.length > LONG ? KEPT_AFTER_MS.long : KEPT_AFTER_MS.short);
}

function keepDue(): void {
  clearTimeout(timer);
  timer = undefined;
  for (const session of due) {
    const draft = draftOf(session);
    const blank = draft.text.trim() === "" && draft.parts.length === 0;
    const fresh = sessionState(session)?.phase === "fresh";
    const empty = draft.text === "" && blank && !draft.config && !draft.edits;
    // Images may be large: they are kept while the page lives, the text for good.
    const kept = { ...draft, parts: [], before: draft.before && { ...draft.before, parts: [] }, fresh, unsent: fresh && !blank, at: Date.now() };
    const first = fresh && !empty && read(`draft.${session}`) === null;
    keep(`draft.${session}`, empty ? null : kept);
    if (first) for (const old of superfluous(all("draft."))) keep(`draft.${old}`, null);
  }
  due.clear();
}

/** Sessions that were never begun, but for the newest ones. */
export function superfluous(drafts: [string, { fresh?: boolean; at?: number }][]): string[] {
  const fresh = drafts.filter(([, draft]) => draft.fresh).toSorted(([, a], [, b]) => (b.at ?? 0) - (a.at ?? 0));
  return fresh.slice(FRESH_MAX).map(([session]) => session);
}

globalThis.addEventListener?.("pagehide", keepDue);
globalThis.addEventListener?.("visibilitychange", keepDue);

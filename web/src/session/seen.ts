/** What this browser has shown of each session, and so what is news to it. */
import { create } from "zustand";
import type { Session } from "~/api/types";
import { all, keep, read } from "./kept";

export type SessionState = "idle" | "running" | "unread" | "error";

interface Seen {
  /** The head that was shown last, by session. */
  heads: Record<string, string>;
  /** When this browser came here first: what ended before is no news to it. */
  since: string;
}

const useSeen = create<Seen>(() => ({ heads: {}, since: "" }));

export function startSeen(): void {
  const since = read<string>("since") ?? new Date().toISOString();
  keep("since", since);
  useSeen.setState({ heads: Object.fromEntries(all<string>("seen.")), since });
  window.addEventListener("storage", ({ key }) => {
    if (!key?.startsWith("turnwise.seen.")) return;
    const session = key.slice("turnwise.seen.".length);
    const head = read<string>(`seen.${session}`);
    if (head) useSeen.setState(({ heads }) => ({ heads: { ...heads, [session]: head } }));
  });
}

/** The user has this session's newest turn before their eyes. */
export function markSeen(session: string, head: string | null | undefined): void {
  if (!head || useSeen.getState().heads[session] === head) return;
  keep(`seen.${session}`, head);
  useSeen.setState(({ heads }) => ({ heads: { ...heads, [session]: head } }));
}

/** How a session does; one that is not known is idle. */
export const useSessionState = (session: Session | undefined): SessionState =>
  useSeen(({ heads, since }) => (session ? stateOf(session, heads[session.id], since) : "idle"));

/** `seen` is the head that was shown last; a session that never was is news when it ended after `since`. */
export function stateOf(session: Session, seen: string | undefined, since: string): SessionState {
  if (session.running) return "running";
  if (!session.head || session.head === seen) return "idle";
  if (session.head_status === "failed") return "error";
  return seen !== undefined || (session.head_ended_at ?? "") > since ? "unread" : "idle";
}

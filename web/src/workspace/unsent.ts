/** New sessions with a draft that was never sent, as `session/drafts.ts` keeps them. Pure. */
interface KeptDraft {
  /** Something is written in a session that the server does not know. */
  unsent?: boolean;
  at?: number;
}

/** The one that was written last, of those that no pane shows. */
export function newestUnsent(drafts: [string, KeptDraft][], open: string[]): string | null {
  const left = drafts.filter(([session, draft]) => draft.unsent && !open.includes(session));
  return left.toSorted(([, a], [, b]) => (b.at ?? 0) - (a.at ?? 0))[0]?.[0] ?? null;
}

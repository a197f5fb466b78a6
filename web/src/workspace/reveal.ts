/** Bringing a row of a session before the reader's eyes. */
import { create } from "zustand";
import { keep } from "~/session/kept";

/** How far below the top of the view the row is put, in px. */
const BELOW_TOP = 24;

/** How often a place was asked for in a session: the thread begins anew with each, at the place that is kept for it. */
export const useReveals = create<Record<string, number>>(() => ({}));

export function reveal(session: string, row: string): void {
  keep(`scroll.${session}`, { key: row, offset: BELOW_TOP, block: null });
  useReveals.setState((reveals) => ({ [session]: (reveals[session] ?? 0) + 1 }));
}

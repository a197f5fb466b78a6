/** The scroller of a session in a pane; `ready` once the place where the reader left it is loaded. */
import { useEffect, useState } from "react";
import { attempt } from "~/session/actions";
import { keep, read } from "~/session/kept";
import { textOf } from "~/session/message";
import { loadOlder, sessionState, useSession } from "~/session/store";
import { guess, type Place } from "./follow";
import { Scroller } from "./Scroller";

/** A place that is farther back than this is given up: the session opens at its end. */
const PAGES_MAX = 20;

export function useScroller(session: string): { scroller: Scroller; ready: boolean } {
  const loaded = useSession(session, ({ phase }) => phase === "ready");
  const [kept] = useState(() => read<Place>(`scroll.${session}`));
  const [found, setFound] = useState(kept === null);
  const [scroller] = useState(
    () =>
      new Scroller({
        place: kept,
        guess: (key, width) => guessFor(session, key, width),
        save: (place) => keep(`scroll.${session}`, place),
        nearTop: () => older(session),
      }),
  );
  useEffect(() => {
    if (!loaded || found || !kept) return;
    let left = false;
    void search(session, kept.key).then((there) => {
      if (left) return;
      if (!there) scroller.toEnd();
      setFound(true);
    });
    return () => {
      left = true;
    };
  }, [loaded, found, kept, session, scroller]);
  return { scroller, ready: found };
}

async function search(session: string, key: string): Promise<boolean> {
  for (let page = 0; page <= PAGES_MAX; page++) {
    while (sessionState(session)?.loadingOlder) await new Promise((resolve) => setTimeout(resolve, 20));
    const thread = sessionState(session)?.thread;
    if (!thread || thread.rows.has(key)) return !!thread;
    if (!thread.older || !(await attempt(loadOlder(session)))) return false;
  }
  return false;
}

const RETRY_MS = 5000;
const failedAt = new Map<string, number>();

/** Loads what came before, unless that has just failed. */
function older(session: string): void {
  const state = sessionState(session);
  if (!state?.thread.older || state.loadingOlder || Date.now() - (failedAt.get(session) ?? 0) < RETRY_MS) return;
  void attempt(loadOlder(session)).then((done) => (done ? failedAt.delete(session) : failedAt.set(session, Date.now())));
}

function guessFor(session: string, key: string, width: number): number {
  const row = sessionState(session)?.thread.rows.get(key);
  return row ? guess(row.role, textOf(row.content).length, width) : guess("user", 0, width);
}

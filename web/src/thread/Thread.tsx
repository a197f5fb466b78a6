/** The conversation of a pane. */
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { useLink } from "~/api/feed";
import { useOutbox } from "~/session/outbox";
import { sessionState, useSession } from "~/session/store";
import { empty } from "~/session/thread";
import { useEver } from "~/ui/useEver";
import { panesOf, type Pane } from "~/workspace/layout";
import { useWorkspace } from "~/workspace/store";
import { Announcer } from "./Announcer";
import { BranchBar } from "./BranchBar";
import { ThreadContext } from "./context";
import { Fresh, Loading, NotLoaded } from "./Empty";
import { JumpButton } from "./JumpButton";
import { type Line, linesOf } from "./lines";
import { List } from "./List";
import type { Scroller } from "./Scroller";
import { useScroller } from "./useScroller";

const PromptDialog = lazy(() => import("./PromptDialog").then(({ PromptDialog }) => ({ default: PromptDialog })));

export function Thread({ pane }: { pane: Pane }) {
  const session = pane.session;
  const phase = useSession(session, (state) => state.phase);
  const lines = useLines(session);
  const { scroller, ready } = useScroller(session);
  const [prompt, setPrompt] = useState<string | null>(null);
  const prompted = useEver(prompt !== null);
  const inThread = useMemo(() => ({ session, pane: pane.id, scroller, showPrompt: setPrompt }), [session, pane.id, scroller]);
  useOwnSends(pane, scroller);
  return (
    <ThreadContext value={inThread}>
      <BranchBar session={session} />
      <div className="relative min-h-0 flex-1">
        {lines.length > 0 && ready ? <List lines={lines} /> : <Nothing session={session} phase={ready || phase !== "ready" ? phase : "loading"} />}
        <JumpButton />
      </div>
      <Announcer session={session} pane={pane.id} />
      <Suspense>{prompted && <PromptDialog turn={prompt} onClose={() => setPrompt(null)} />}</Suspense>
    </ThreadContext>
  );
}

function Nothing({ session, phase }: { session: string; phase: string }) {
  return (
    <div data-thread="" className="h-full overflow-y-auto">
      {phase === "failed" ? <NotLoaded session={session} /> : phase === "loading" ? <Loading /> : <Fresh />}
    </div>
  );
}

function useLines(session: string): Line[] {
  const keys = useSession(session, ({ thread }) => thread.keys);
  const running = useSession(session, ({ thread }) => thread.running);
  const queue = useSession(session, ({ thread }) => thread.queue);
  const sends = useOutbox((outbox) => outbox.sends);
  const live = useLink(({ state }) => state === "live");
  return useMemo(() => {
    // Of the rows only what cannot change without the keys is looked at.
    const { rows } = sessionState(session)?.thread ?? empty;
    const own = sends.filter((send) => send.session === session);
    return linesOf({ keys, rows, running, queue }, own, live);
  }, [session, keys, running, queue, sends, live]);
}

/** What the user sends here is gone to, wherever they were reading. */
function useOwnSends({ id, session }: Pane, scroller: Scroller): void {
  const last = useOutbox(({ sends }) => sends.findLast((send) => send.session === session)?.key);
  const known = useRef(last);
  useEffect(() => {
    if (!last || last === known.current) return;
    known.current = last;
    const { root, active } = useWorkspace.getState();
    const elsewhere = panesOf(root).some((pane) => pane.id === active && pane.session === session && pane.id !== id);
    if (!elsewhere) scroller.toEnd();
  }, [last, id, session, scroller]);
}

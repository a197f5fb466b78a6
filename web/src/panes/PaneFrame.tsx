/** One pane: its head, the conversation, the composer. */
import { useEffect, useLayoutEffect, useState } from "react";
import { Composer } from "~/composer/Composer";
import { useWords } from "~/i18n";
import { put, useList } from "~/session/list";
import { markSeen } from "~/session/seen";
import { hold, useSession } from "~/session/store";
import { Thread } from "~/thread/Thread";
import type { Pane } from "~/workspace/layout";
import { useReveals } from "~/workspace/reveal";
import { activate, settle, useWorkspace } from "~/workspace/store";
import { DropEdges } from "./DropEdges";
import { MissingSession } from "./MissingSession";
import { PaneHead } from "./PaneHead";

interface Props {
  pane: Pane;
  /** Which of how many panes it is, for its name. */
  number: number;
  count: number;
  /** On a narrow screen only one is. */
  shown: boolean;
}

export function PaneFrame({ pane, number, count, shown }: Props) {
  const words = useWords();
  const [held, setHeld] = useState<string | null>(null);
  const active = useWorkspace((state) => state.active === pane.id);
  const title = useList((list) => list.sessions[pane.session]?.title) ?? words.app.untitled;
  useLayoutEffect(() => {
    const release = hold(pane.session, pane.fresh);
    setHeld(pane.session);
    return release;
    // A session that stops being fresh is the same session: `fresh` is no reason to let it go.
  }, [pane.session]);
  return (
    <section
      id={`pane-${pane.id}`}
      aria-label={words.panes.pane(number, count, title)}
      data-pane={pane.id}
      data-session={pane.session}
      {...(active ? { "data-active": "" } : {})}
      onPointerDownCapture={() => activate(pane.id)}
      onFocusCapture={() => activate(pane.id)}
      className={`group/pane relative flex h-full min-w-0 flex-col bg-ground ${active && count > 1 ? "after:pointer-events-none after:absolute after:inset-0 after:z-20 after:border-2 after:border-accent/60 max-[699px]:after:hidden" : ""}`}
    >
      {held === pane.session && <PaneBody pane={pane} first={number === 1} several={count > 1} shown={shown} />}
      <DropEdges pane={pane} />
    </section>
  );
}

function PaneBody({ pane, first, several, shown }: { pane: Pane; first: boolean; several: boolean; shown: boolean }) {
  const phase = useSession(pane.session, (session) => session.phase);
  const session = useSession(pane.session, ({ thread }) => thread.session);
  const running = useSession(pane.session, (session) => session.thread.running);
  const reveals = useReveals((all) => all[pane.session] ?? 0);
  useEffect(() => {
    if (pane.fresh && phase === "ready") settle(pane.session);
  }, [pane, phase]);
  // What is open is in the list, though the page of the list that has it was never asked for.
  useEffect(() => {
    if (session && !useList.getState().sessions[session.id]) put(session);
  }, [session]);
  const gone = phase === "missing" || phase === "deleted";
  useSeen(pane.session, running || !shown ? null : session?.head);
  return (
    <>
      <PaneHead pane={pane} first={first} several={several} missing={gone} />
      {gone ? (
        <MissingSession pane={pane} deleted={phase === "deleted"} />
      ) : (
        <>
          <Thread key={`${pane.session} ${reveals}`} pane={pane} />
          <Composer key={`composer ${pane.session}`} pane={pane} />
        </>
      )}
    </>
  );
}

/** What is before the user's eyes is not news. */
function useSeen(session: string, head: string | null | undefined): void {
  useEffect(() => {
    const see = () => !document.hidden && markSeen(session, head);
    see();
    document.addEventListener("visibilitychange", see);
    return () => document.removeEventListener("visibilitychange", see);
  }, [session, head]);
}

/** Says once to a screen reader that an answer has ended. Tokens are never said. */
import { useEffect, useRef, useState } from "react";
import type { TurnStatus } from "~/api/types";
import { useWords, type Words } from "~/i18n";
import { sessionState, useSession } from "~/session/store";
import { panes } from "~/workspace/store";
import { endedNow, lastAnswer } from "./ends";

export function Announcer({ session, pane }: { session: string; pane: string }) {
  const words = useWords().thread;
  const now = useSession(session, ({ thread }) => lastAnswer(thread));
  // A page may show the end of a short answer before the event comes that tells of it.
  const ended = useSession(session, ({ thread }) => thread.ended);
  const before = useRef("");
  const [told] = useState(() => new Set(sessionState(session)?.thread.ended));
  const [spoken, setSpoken] = useState({ text: "", number: 0 });
  useEffect(() => {
    const end = endedNow(before.current, now, told, ended);
    before.current = now;
    if (!end) return;
    told.add(end.turn);
    // The same session in two panes is told of by the first.
    if (panes().find((one) => one.session === session)?.id !== pane) return;
    setSpoken(({ number }) => ({ text: textFor(end.status, words), number: number + 1 }));
  }, [now, ended, session, pane, told, words]);
  return (
    <div role="status" className="sr-only" data-announcer="">
      <span key={spoken.number}>{spoken.text}</span>
    </div>
  );
}

function textFor(status: TurnStatus, words: Words["thread"]): string {
  if (status === "failed") return words.failedSpoken;
  if (status === "cancelled") return words.stoppedSpoken;
  return status === "incomplete" ? words.incompleteSpoken : words.finishedSpoken;
}

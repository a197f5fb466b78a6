/** ‹ 2/3 ›: the turns that continue the same turn as this one. It stays where it is while one steps through them. */
import { ChevronLeft, ChevronRight } from "lucide-react";
import { useWords } from "~/i18n";
import { showTurn } from "~/session/actions";
import { sessionState, useSession } from "~/session/store";
import { answerKey, type Row, userKey } from "~/session/rows";
import type { Thread } from "~/session/thread";
import { IconButton } from "~/ui/Button";
import { useThread } from "./context";

export function Versions({ row }: { row: Row }) {
  const words = useWords().thread;
  const { session, scroller } = useThread();
  const { siblings } = row.facts;
  const at = siblings.indexOf(row.turn);
  const [previous, next] = [siblings[at - 1], siblings[at + 1]];
  const noPrevious = useSession(session, ({ thread }) => !isKnown(previous, thread));
  const noNext = useSession(session, ({ thread }) => !isKnown(next, thread));
  if (siblings.length < 2 || at < 0) return null;
  const go = async (turn: string | undefined) => {
    if (!turn) return;
    const height = scroller.heightOf(row.key);
    await showTurn(session, turn);
    const rows = sessionState(session)?.thread.rows;
    const key = [userKey(turn), answerKey(turn)].find((one) => rows?.has(one));
    if (key && height !== null) requestAnimationFrame(() => scroller.hold(key, height));
  };
  return (
    <div role="group" aria-label={words.versions} data-versions="" className="flex items-center text-xs text-muted tabular-nums">
      <IconButton name={words.previousVersion} disabled={noPrevious} onClick={() => void go(previous)}>
        <ChevronLeft />
      </IconButton>
      <span>{words.version(at + 1, siblings.length)}</span>
      <IconButton name={words.nextVersion} disabled={noNext} onClick={() => void go(next)}>
        <ChevronRight />
      </IconButton>
    </div>
  );
}

/** Of a turn that runs elsewhere and whose beginning was missed there is nothing to show before its end. */
function isKnown(turn: string | undefined, { rows }: Thread): boolean {
  const answer = rows.get(answerKey(turn ?? ""));
  return turn !== undefined && !(answer && !answer.live && answer.facts.status === "running");
}

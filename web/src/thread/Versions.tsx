/** ‹ 2/3 ›: the turns that continue the same turn as this one. It stays where it is while one steps through them. */
import { ChevronLeft, ChevronRight } from "lucide-react";
import { useWords } from "~/i18n";
import { showTurn } from "~/session/actions";
import { sessionState, useSession } from "~/session/store";
import { answerKey, type Row, userKey } from "~/session/rows";
import { IconButton } from "~/ui/Button";
import { useThread } from "./context";

export function Versions({ row }: { row: Row }) {
  const words = useWords().thread;
  const { session, scroller } = useThread();
  const { siblings } = row.facts;
  const at = siblings.indexOf(row.turn);
  const busy = useSession(session, ({ thread }) => thread.running !== null && siblings.includes(thread.running));
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
      <IconButton name={words.previousVersion} disabled={at === 0 || busy} onClick={() => void go(siblings[at - 1])}>
        <ChevronLeft />
      </IconButton>
      <span>{words.version(at + 1, siblings.length)}</span>
      <IconButton name={words.nextVersion} disabled={at === siblings.length - 1 || busy} onClick={() => void go(siblings[at + 1])}>
        <ChevronRight />
      </IconButton>
    </div>
  );
}

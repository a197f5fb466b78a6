/** How an answer ended, when it did not end as it should; and what to do about it. */
import { CircleStop, Filter, Ruler, Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { useWords, type Words } from "~/i18n";
import { goOn, retry } from "~/session/actions";
import { useSession } from "~/session/store";
import type { Row } from "~/session/rows";
import { Button } from "~/ui/Button";
import { useThread } from "./context";
import { FailureCard } from "./FailureCard";
import { isContinued } from "./lines";

interface End {
  icon: ReactNode;
  text: string;
  hint?: string;
  goesOn: boolean;
}

export function Ending({ row }: { row: Row }) {
  const words = useWords().thread;
  if (row.facts.status === "failed") return <FailureCard row={row} />;
  const end = endOf(row, words);
  if (!end) return null;
  return (
    <div data-ending={row.facts.reason ?? row.facts.status} className="my-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-muted">
      <span className="flex items-center gap-1.5 font-medium [&_svg]:size-4">
        {end.icon}
        {end.text}
      </span>
      {end.hint && <span className="text-xs">{end.hint}</span>}
      <NextSteps row={row} goesOn={end.goesOn} />
    </div>
  );
}

function endOf({ facts }: Row, words: Words["thread"]): End | null {
  if (facts.status === "cancelled") return { icon: <CircleStop aria-hidden />, text: words.stopped, goesOn: true };
  if (facts.status !== "incomplete") return null;
  switch (facts.reason) {
    case "length":
      return { icon: <Ruler aria-hidden />, text: words.length, goesOn: true };
    case "interrupted":
      return { icon: <Unplug aria-hidden />, text: words.interrupted, hint: words.interruptedHint, goesOn: true };
    case "content_filter":
      return { icon: <Filter aria-hidden />, text: words.filtered, goesOn: false };
    default:
      return { icon: <CircleStop aria-hidden />, text: words.ended, goesOn: true };
  }
}

/** None once it has been continued: what can still be done is among the controls of every answer. */
function NextSteps({ row, goesOn }: { row: Row; goesOn: boolean }) {
  const { session } = useThread();
  if (useSession(session, ({ thread }) => isContinued(row.turn, thread))) return null;
  return (
    <span className="flex gap-2">
      {goesOn && row.message && <GoOn row={row} />}
      <Again row={row} />
    </span>
  );
}

function GoOn({ row }: { row: Row }) {
  const words = useWords().thread;
  const { session, scroller } = useThread();
  return (
    <Button
      onClick={() => {
        scroller.toEnd();
        void goOn(session, row.turn);
      }}
    >
      {words.continue}
    </Button>
  );
}

export function Again({ row, className }: { row: Row; className?: string }) {
  const words = useWords().thread;
  const { session, scroller } = useThread();
  return (
    <Button
      className={className}
      onClick={() => {
        scroller.toEnd();
        void retry(session, row.turn);
      }}
    >
      {words.retry}
    </Button>
  );
}

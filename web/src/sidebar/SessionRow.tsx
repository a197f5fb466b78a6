/** One session of the list. */
import { Pause } from "lucide-react";
import { memo, type MouseEvent } from "react";
import type { Session } from "~/api/types";
import { useWords } from "~/i18n";
import { useSessionState } from "~/session/seen";
import { dragSession } from "~/workspace/drag";
import { goTo } from "~/workspace/go";
import { addressOf } from "./link";
import { SessionMenu } from "./SessionMenu";
import { setSheet } from "./sheet";
import { StateMark } from "./StateMark";

interface Props {
  session: Session;
  /** In the active pane, in another one, or in none. */
  shown: "active" | "beside" | null;
  /** The one row of the list that Tab reaches; the arrow keys go to the others. */
  reachable: boolean;
}

const looks = { active: "bg-accent-soft", beside: "bg-hover/60", none: "hover:bg-hover" };

export const SessionRow = memo(function SessionRow({ session, shown, reachable }: Props) {
  const words = useWords();
  const state = useSessionState(session);
  const title = session.title ?? words.app.untitled;
  const queued = words.sidebar.queued(session.queued, session.paused);
  const open = (event: MouseEvent, beside: boolean) => {
    event.preventDefault();
    setSheet(false);
    goTo(session.id, beside);
  };
  return (
    <div
      data-session-row={session.id}
      data-state={state}
      data-queued-count={session.queued}
      draggable
      onDragStart={(event) => dragSession(event, session.id)}
      className={`group/row relative flex h-9 items-center gap-1 rounded-lg pr-1 pl-2 ${looks[shown ?? "none"]}`}
    >
      <a
        href={addressOf(session.id)}
        draggable={false}
        tabIndex={reachable ? 0 : -1}
        title={title}
        {...(shown === "active" ? { "aria-current": "page" as const } : {})}
        onClick={(event) => open(event, event.ctrlKey || event.metaKey)}
        onAuxClick={(event) => event.button === 1 && open(event, true)}
        onMouseDown={(event) => event.button === 1 && event.preventDefault()}
        onKeyDown={(event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && (event.preventDefault(), setSheet(false), goTo(session.id, true))}
        className="flex h-full min-w-0 flex-1 items-center gap-1.5 text-sm focus-visible:outline-offset-0"
      >
        <StateMark state={state} />
        <span className={`truncate ${state === "unread" || shown === "active" ? "font-medium" : ""}`}>{title}</span>
        {shown === "beside" && <span className="sr-only">({words.sidebar.openElsewhere})</span>}
      </a>
      {session.queued > 0 && (
        <span role="img" aria-label={queued} title={queued} data-queue-paused={session.paused ? "" : undefined} className="flex min-w-5 shrink-0 items-center justify-center gap-0.5 rounded-full bg-bubble px-1.5 text-xs text-muted data-queue-paused:bg-warn-soft data-queue-paused:text-warn">
          {session.paused && <Pause aria-hidden className="size-3" />}
          {session.queued}
        </span>
      )}
      <SessionMenu
        session={session}
        tabIndex={reachable ? 0 : -1}
        className="size-7 opacity-0 group-focus-within/row:opacity-100 group-hover/row:opacity-100 data-[state=open]:opacity-100 pointer-coarse:opacity-100"
      />
    </div>
  );
});

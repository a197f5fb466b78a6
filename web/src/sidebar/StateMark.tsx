/** How a session does: a turning ring, a dot or a sign, and a word for those who do not see it. */
import { CircleAlert, LoaderCircle } from "lucide-react";
import { useWords } from "~/i18n";
import type { SessionState } from "~/session/seen";

export function StateMark({ state }: { state: SessionState }) {
  const words = useWords().sidebar;
  return (
    <span className="flex size-4 shrink-0 items-center justify-center">
      {state === "running" && <LoaderCircle role="img" aria-label={words.running} className="size-3.5 animate-spin text-accent" />}
      {state === "unread" && <span role="img" aria-label={words.unread} className="size-2 rounded-full bg-accent" />}
      {state === "error" && <CircleAlert role="img" aria-label={words.error} className="size-3.5 text-danger" />}
    </span>
  );
}

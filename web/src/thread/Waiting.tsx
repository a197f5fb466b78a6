/** That an answer is on its way, and for how long nothing of it has come. `begun`: something has. */
import { useEffect, useState } from "react";
import { useWords } from "~/i18n";
import type { Live } from "~/session/rows";

/** How long nobody wonders. */
const QUIET_S = 3;

export function Waiting({ live, begun }: { live: Live; begun: boolean }) {
  const words = useWords().thread;
  const seconds = useSecondsSince(begun ? live.lastAt : live.startedAt);
  const silent = seconds >= QUIET_S;
  const text = !silent ? "" : begun ? words.silentFor(seconds) : words.workingFor(seconds);
  return (
    <div className="flex h-8 items-center gap-2 text-sm text-muted" data-pending="">
      {(!begun || silent) && <Dots name={words.working} />}
      <span className="tabular-nums">
        {text}
        {text && live.attempt > 1 && ` · ${words.attempt(live.attempt)}`}
      </span>
    </div>
  );
}

/** Three quiet dots. */
export const Dots = ({ name }: { name: string }) => (
  <span role="img" aria-label={name} className="flex gap-1">
    {["", "[animation-delay:200ms]", "[animation-delay:400ms]"].map((delay) => (
      <span key={delay} className={`size-1.5 animate-pulse rounded-full bg-muted ${delay}`} />
    ))}
  </span>
);

function useSecondsSince(since: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  return Math.max(0, Math.floor((now - since) / 1000));
}

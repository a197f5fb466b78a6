/** Says that the server is gone, and that nothing is lost by it. */
import { PlugZap } from "lucide-react";
import { useEffect, useState } from "react";
import { reconnect, useLink } from "~/api/feed";
import { useWords } from "~/i18n";
import { Button } from "~/ui/Button";

/** A blink of the link is not worth a word. */
const QUIET_MS = 1000;

export function Banner() {
  const words = useWords();
  const { state, since } = useLink();
  const now = useSeconds(state === "lost");
  if (state !== "lost" || now - since < QUIET_MS) return null;
  return (
    <div role="alert" data-banner="lost" className="flex shrink-0 items-center gap-3 bg-warn-soft px-4 py-1.5 text-sm text-warn">
      <PlugZap aria-hidden className="size-4 shrink-0" />
      <span className="min-w-0 flex-1">{words.app.lost}</span>
      <Button look="plain" className="text-warn" onClick={reconnect}>
        {words.app.reconnect}
      </Button>
    </div>
  );
}

function useSeconds(on: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!on) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [on]);
  return now;
}

/** Says that the server is gone, and that nothing is lost by it: over the panes, below their heads, so that nothing moves. */
import { PlugZap } from "lucide-react";
import { useEffect, useState } from "react";
import { reconnect, useLink } from "~/api/feed";
import { useWords } from "~/i18n";
import { useSettings } from "~/settings/store";
import { Button } from "~/ui/Button";
import { useNarrow } from "~/workspace/useNarrow";

/** A blink of the link is not worth a word. */
const QUIET_MS = 1000;

export function Banner() {
  const words = useWords();
  const { state, since } = useLink();
  const narrow = useNarrow();
  const sidebar = useSettings((settings) => settings.sidebar);
  const now = useSeconds(state === "lost");
  if (state !== "lost" || now - since < QUIET_MS) return null;
  return (
    <div className={`pointer-events-none fixed top-12 right-0 z-30 flex justify-center px-3 max-[699px]:top-24 ${sidebar && !narrow ? "left-72" : "left-0"}`}>
      <div role="alert" data-banner="lost" className="pointer-events-auto flex items-center gap-3 rounded-xl border border-warn/50 bg-warn-soft py-1 pr-1 pl-3 text-sm text-warn shadow-float">
        <PlugZap aria-hidden className="size-4 shrink-0" />
        <span className="min-w-0 flex-1">{words.app.lost}</span>
        <Button look="plain" className="text-warn" onClick={reconnect}>
          {words.app.reconnect}
        </Button>
      </div>
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

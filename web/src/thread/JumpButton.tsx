/** Back to the end, when that is out of sight. */
import { ArrowDown } from "lucide-react";
import { useSyncExternalStore } from "react";
import { useWords } from "~/i18n";
import { useThread } from "./context";

export function JumpButton() {
  const words = useWords().thread;
  const { scroller } = useThread();
  const away = useSyncExternalStore(scroller.subscribe, () => scroller.away);
  if (!away) return null;
  return (
    <button
      type="button"
      data-jump=""
      onClick={scroller.toEnd}
      className="absolute bottom-3 left-1/2 z-10 flex h-9 -translate-x-1/2 items-center gap-1.5 rounded-full border border-line bg-raised px-3.5 text-sm whitespace-nowrap shadow-float hover:bg-hover"
    >
      <ArrowDown aria-hidden className="size-4" />
      {words.jump}
    </button>
  );
}

/** Keys, as they are written on this keyboard. */
import { isMac } from "~/ui/platform";
import { capsOf, type Keys } from "./keys";

export function Caps({ keys }: { keys: Keys }) {
  return (
    <kbd className="inline-flex shrink-0 gap-1 font-sans">
      {capsOf(keys, isMac).map((cap) => (
        <span key={cap} className="min-w-6 rounded-md border border-line bg-sunken px-1.5 py-0.5 text-center text-xs text-muted">
          {cap}
        </span>
      ))}
    </kbd>
  );
}

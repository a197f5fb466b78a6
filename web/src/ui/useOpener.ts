/** Gives the focus back to what had it when a dialog opened: Radix does so by itself only for a trigger of its own. */
import { useRef } from "react";

export function useOpener(): { remember: () => void; giveBack: (event: Event) => void } {
  const opener = useRef<HTMLElement | null>(null);
  const remember = () => {
    opener.current = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  };
  const giveBack = (event: Event) => {
    event.preventDefault();
    // Whoever has taken it meanwhile keeps it.
    if (document.activeElement === document.body) opener.current?.focus({ preventScroll: true });
  };
  return { remember, giveBack };
}

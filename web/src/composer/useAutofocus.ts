/** The message field takes the focus when its pane is opened or chosen, unless the user is busy elsewhere. */
import { type RefObject, useEffect, useRef } from "react";
import { useDialogs } from "~/app/dialog";

/** A finger that taps wants to read; the screen's keyboard would cover that. */
const touch = typeof matchMedia === "function" ? matchMedia("(pointer: coarse)") : null;
/** A dialog hands the focus back when it has closed. */
const AFTER_DIALOG_MS = 60;

export function useAutofocus(field: RefObject<HTMLTextAreaElement | null>, active: boolean): void {
  const dialog = useDialogs((dialogs) => dialogs.open !== null);
  const chosen = useRef(false);
  const closed = useRef(false);
  useEffect(() => {
    chosen.current = active;
  }, [active]);
  useEffect(() => {
    if (dialog) {
      closed.current = true;
      chosen.current = false;
    }
    if (!active || dialog || touch?.matches) return;
    const look = () => {
      // A dialog that closes gives the focus to what opened it; only when that is gone the field has it.
      if (chosen.current || document.activeElement === document.body) take(field.current);
      chosen.current = false;
      closed.current = false;
    };
    const timer = setTimeout(look, closed.current ? AFTER_DIALOG_MS : 0);
    return () => clearTimeout(timer);
  }, [active, dialog, field]);
}

function take(field: HTMLTextAreaElement | null): void {
  const focused = document.activeElement;
  const pane = field?.closest("[data-pane]");
  const typing = focused instanceof HTMLElement && (focused.isContentEditable || focused.matches("input, textarea, select"));
  const elsewhere = focused?.closest("[role=dialog], [role=menu]");
  const within = focused !== document.body && pane?.contains(focused);
  const inOtherComposer = focused?.matches("[data-composer]");
  if (!field || elsewhere || within || (typing && !inOtherComposer)) return;
  field.focus({ preventScroll: true });
}

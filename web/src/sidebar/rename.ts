/** Which session is being renamed. */
import { create } from "zustand";
import type { Session } from "~/api/types";

export const useRename = create<{ session: Session | null }>(() => ({ session: null }));

/** A menu hands the focus back when it has closed: the dialog waits for that, to hand it back in its turn. */
const AFTER_MENU_MS = 40;

let opener: Element | null = null;

export function rename(session: Session): void {
  setTimeout(() => {
    opener = document.activeElement;
    useRename.setState({ session });
  }, AFTER_MENU_MS);
}

export function endRename(): void {
  useRename.setState({ session: null });
  setTimeout(() => opener instanceof HTMLElement && opener.focus({ preventScroll: true }), AFTER_MENU_MS);
}

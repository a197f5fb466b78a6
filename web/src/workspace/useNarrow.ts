/** Whether the window has room for panes side by side. */
import { useSyncExternalStore } from "react";

const narrow = typeof matchMedia === "function" ? matchMedia("(max-width: 699px)") : null;

const subscribe = (changed: () => void) => {
  narrow?.addEventListener("change", changed);
  return () => narrow?.removeEventListener("change", changed);
};

/** Too narrow for panes side by side: one pane and a switcher. */
export const isNarrow = (): boolean => narrow?.matches ?? false;
export const useNarrow = (): boolean => useSyncExternalStore(subscribe, isNarrow);

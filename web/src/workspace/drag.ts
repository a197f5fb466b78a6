/** The session that is being dragged from the sidebar, anywhere on the page. */
import type { DragEvent } from "react";
import { create } from "zustand";

export const useDragged = create<{ session: string | null }>(() => ({ session: null }));

/** The row may be gone before the drag ends, and its end with it: then the pointer's next move tells. */
const ends = ["dragend", "drop", "pointermove"] as const;

export function dragSession(event: DragEvent, session: string): void {
  event.dataTransfer.setData("text/plain", `${location.origin}/s/${session}`);
  event.dataTransfer.effectAllowed = "copyMove";
  const end = () => {
    useDragged.setState({ session: null });
    for (const name of ends) window.removeEventListener(name, end);
  };
  // Chromium gives up a drag when the document changes while it begins.
  requestAnimationFrame(() => {
    useDragged.setState({ session });
    for (const name of ends) window.addEventListener(name, end);
  });
}

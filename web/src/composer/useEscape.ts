/** Esc ends what is going on in the pane that has the focus: an edit first, then a broadcast, then the running answer. */
import { useEffect } from "react";
import { stop } from "~/session/actions";
import { clearDraft, draftOf } from "~/session/drafts";
import { sessionState } from "~/session/store";
import { composing } from "~/ui/platform";
import { broadcast } from "~/workspace/go";
import type { Pane } from "~/workspace/layout";
import { panes, useWorkspace } from "~/workspace/store";

export function useEscape({ id, session }: Pane): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      // Whoever closed something by it has prevented the default.
      if (event.key !== "Escape" || event.defaultPrevented || composing(event) || !isIn(id, event.target)) return;
      if (document.querySelector("[role=dialog], [role=menu]")) return;
      if (draftOf(session).edits) clearDraft(session);
      else if (useWorkspace.getState().broadcast && panes().length > 1) broadcast(null);
      else if (sessionState(session)?.thread.running) void stop(session);
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [id, session]);
}

function isIn(pane: string, target: EventTarget | null): boolean {
  if (target === document.body) return useWorkspace.getState().active === pane;
  return target instanceof Element && target.closest("[data-pane]")?.getAttribute("data-pane") === pane;
}

/** Sends what stands in the composer: to this pane's session, or to every pane of a broadcast. */
import type { Content } from "~/api/types";
import { useConfigs } from "~/configs/queries";
import { useWords } from "~/i18n";
import { send } from "~/session/actions";
import { clearDraft, draftOf, setDraft } from "~/session/drafts";
import { hold } from "~/session/store";
import type { Pane } from "~/workspace/layout";
import { contentOf, fits, isBlank } from "./content";
import type { Target } from "./targets";
import { LIMIT } from "./useImages";

/** `targets`: those of a broadcast, or `null`. Says whether it was sent; what was not stays in the field. */
export function useSubmit(pane: Pane, targets: Target[] | null, sayProblem: (problem: string | null) => void): () => boolean {
  const words = useWords().composer;
  const defaultConfig = useConfigs().find((config) => config.default)?.id ?? null;
  return () => {
    const { text, parts } = draftOf(pane.session);
    if (isBlank(text, parts)) return false;
    const message = contentOf(text, parts);
    if (!fits(message)) {
      sayProblem(words.tooLarge(LIMIT));
      return false;
    }
    const panes = targets?.filter((target) => target.checked).map((target) => target.pane);
    if (panes?.length === 0) {
      sayProblem(words.broadcastNone);
      return false;
    }
    sayProblem(null);
    if (!panes) send(pane.session, message, defaultConfig);
    else broadcast(panes, pane.session, message, defaultConfig);
    return true;
  };
}

function broadcast(panes: Pane[], from: string, message: Content, defaultConfig: string | null): void {
  for (const pane of panes) {
    // On a narrow screen the other panes are not on it, and nobody holds their sessions.
    const release = hold(pane.session, pane.fresh);
    if (pane.session === from) send(from, message, defaultConfig);
    else sendKeepingDraft(pane.session, message, defaultConfig);
    release();
  }
  if (!panes.some((pane) => pane.session === from)) clearDraft(from);
}

/** What somebody was typing in another pane is not this message, and stays. */
function sendKeepingDraft(session: string, message: Content, defaultConfig: string | null): void {
  const { text, parts, edits, before } = draftOf(session);
  setDraft(session, { edits: null, before: null });
  send(session, message, defaultConfig);
  setDraft(session, { text, parts, edits, before });
}

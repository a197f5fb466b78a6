import type { Content, Part } from "~/api/types";
import { textOf } from "~/content";
import { currentWords } from "~/i18n";
import { draftOf, setDraft } from "~/session/drafts";
import { discard, type Sending } from "~/session/outbox";
import type { Row } from "~/session/thread";
import { toast } from "~/ui/toasts";

const imagesOf = (content: Content): Part[] => (typeof content === "string" ? [] : content.filter((part) => part.type === "image_url"));

/** Takes a message into the composer; sending it makes a branch beside its turn. */
export function beginEdit(session: string, pane: string, row: Row): void {
  setDraft(session, { text: textOf(row.content), parts: imagesOf(row.content), edits: { turn: row.turn, parent: row.facts.parent } });
  requestAnimationFrame(() => focusComposer(pane));
}

/** Takes a message that the server refused back into the composer. */
export function takeBack(session: string, pane: string, send: Sending): void {
  const { text, parts, edits } = draftOf(session);
  discard(send.key);
  setDraft(session, { text: textOf(send.message), parts: imagesOf(send.message), edits: null });
  const { app, thread } = currentWords();
  if (text.trim()) toast(thread.draftReplaced, { name: app.undo, run: () => setDraft(session, { text, parts, edits }) });
  requestAnimationFrame(() => focusComposer(pane));
}

function focusComposer(pane: string): void {
  const field = document.querySelector<HTMLTextAreaElement>(`[data-pane="${CSS.escape(pane)}"] textarea[data-composer]`);
  field?.focus({ preventScroll: true });
  field?.setSelectionRange(field.value.length, field.value.length);
}

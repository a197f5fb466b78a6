/** Taking a message into the composer again. */
import { currentWords } from "~/i18n";
import { draftOf, editOf, setDraft } from "~/session/drafts";
import { imagesOf, textOf } from "~/session/message";
import { discard, type Sending } from "~/session/outbox";
import type { Row } from "~/session/rows";
import { toast } from "~/ui/toasts";
import { focusComposer } from "~/workspace/go";

/** A message that was answered: sending it again makes a branch beside its turn. */
export function beginEdit(session: string, row: Row): void {
  setDraft(session, editOf(row));
  focusComposer();
}

/** One that the server refused: it goes where it would have gone. */
export function takeBack(send: Sending): void {
  const { session, key, message, branches } = send;
  const { text, parts, edits, before } = draftOf(session);
  discard(key);
  setDraft(session, { text: textOf(message), parts: imagesOf(message), edits: branches });
  const { app, thread } = currentWords();
  if (text.trim()) toast(thread.draftReplaced, { name: app.undo, run: () => setDraft(session, { text, parts, edits, before }) });
  focusComposer();
}

/** Putting sessions away, and bringing them back. */
import type { Session } from "~/api/types";
import { currentWords } from "~/i18n";
import { change } from "~/session/actions";
import { toast } from "~/ui/toasts";

/** Puts a session away; for a while the note at the foot can bring it back. */
export async function archive(session: Session): Promise<void> {
  if (!(await change(session.id, { archived: true }))) return;
  const words = currentWords();
  toast(words.sidebar.wasArchived(session.title ?? words.app.untitled), { name: words.app.undo, run: () => void unarchive(session) });
}

export const unarchive = (session: Session): Promise<boolean> => change(session.id, { archived: false });

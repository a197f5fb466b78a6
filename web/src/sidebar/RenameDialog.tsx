/** Another title for a session. */
import { type FormEvent, type KeyboardEvent, useState } from "react";
import type { Session } from "~/api/types";
import { useWords } from "~/i18n";
import { change } from "~/session/actions";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { composing } from "~/ui/platform";
import { endRename, useRename } from "./rename";

const TITLE_MAX = 200;

export function RenameDialog() {
  const words = useWords().sidebar;
  const session = useRename((state) => state.session);
  return (
    <Dialog open={session !== null} onOpenChange={(open) => !open && endRename()} title={words.renameTitle}>
      {session && <Title session={session} />}
    </Dialog>
  );
}

function Title({ session }: { session: Session }) {
  const words = useWords();
  const [title, setTitle] = useState(session.title ?? "");
  const save = (event: FormEvent) => {
    event.preventDefault();
    const named = title.trim();
    endRename();
    if (named && named !== session.title) void change(session.id, { title: named });
  };
  return (
    <form onSubmit={save} className="flex flex-col gap-4 pt-1">
      <input
        aria-label={words.sidebar.title}
        data-rename=""
        autoFocus
        value={title}
        maxLength={TITLE_MAX}
        onChange={(event) => setTitle(event.target.value)}
        onFocus={(event) => event.target.select()}
        onKeyDown={keepComposing}
        className="h-10 w-full rounded-lg border border-line bg-ground px-3"
      />
      <div className="flex justify-end gap-2">
        <Button onClick={endRename}>{words.app.cancel}</Button>
        <Button type="submit" look="solid" disabled={title.trim() === ""}>
          {words.app.save}
        </Button>
      </div>
    </form>
  );
}

/** Enter that ends an input method's composition saves nothing; Esc that cancels one closes nothing. */
function keepComposing(event: KeyboardEvent): void {
  if (!composing(event.nativeEvent)) return;
  if (event.key === "Enter") event.preventDefault();
  event.stopPropagation();
}

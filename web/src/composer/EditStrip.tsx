/** Says that the field holds an older message, which is sent beside itself, and gives what was typed before back. */
import { Pencil, X } from "lucide-react";
import { useWords } from "~/i18n";
import { clearDraft } from "~/session/drafts";
import { IconButton } from "~/ui/Button";

export function EditStrip({ session }: { session: string }) {
  const words = useWords().composer;
  return (
    <div data-editing="" role="status" className="flex items-center gap-2 rounded-lg bg-accent-soft py-0.5 pr-1 pl-3 text-sm text-accent">
      <Pencil aria-hidden className="size-3.5 shrink-0" />
      <span className="min-w-0 flex-1 truncate">{words.editing}</span>
      <IconButton name={words.cancelEdit} className="size-7 text-accent" onClick={() => clearDraft(session)}>
        <X />
      </IconButton>
    </div>
  );
}

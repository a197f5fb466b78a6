/** Says that what is shown is not the session's main line, and leads back to it. */
import { GitBranch } from "lucide-react";
import { useWords } from "~/i18n";
import { backToMain, makeMain } from "~/session/actions";
import { useSession } from "~/session/store";
import { Button } from "~/ui/Button";

export function BranchBar({ session }: { session: string }) {
  const words = useWords().thread;
  const shown = useSession(session, ({ branch }) => branch !== null);
  const running = useSession(session, ({ thread }) => thread.running !== null);
  if (!shown) return null;
  return (
    <div data-branch="" role="status" className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-sunken px-4 py-1 text-sm">
      <GitBranch aria-hidden className="size-4 shrink-0 text-muted" />
      <span className="min-w-0 flex-1">{words.onBranch}</span>
      <Button look="plain" className="text-text" onClick={() => void backToMain(session)}>
        {words.backToMain}
      </Button>
      <Button look="plain" className="text-text" disabled={running} onClick={() => void makeMain(session)}>
        {words.makeMain}
      </Button>
    </div>
  );
}

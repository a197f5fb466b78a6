/** There is no such session, or no longer. */
import { openDialog } from "~/app/dialog";
import { useWords } from "~/i18n";
import { Button } from "~/ui/Button";
import { goToNew } from "~/workspace/go";
import type { Pane } from "~/workspace/layout";
import { activate } from "~/workspace/store";

export function MissingSession({ pane }: { pane: Pane }) {
  const words = useWords();
  const begin = () => {
    activate(pane.id);
    goToNew();
  };
  return (
    <div className="flex min-h-0 flex-1 flex-col items-center justify-center gap-3 overflow-y-auto p-6 text-center" data-empty="missing">
      <h3 className="text-lg font-semibold">{words.panes.missingTitle}</h3>
      <p className="max-w-sm break-words text-muted">{words.panes.missing(pane.session)}</p>
      <div className="flex flex-wrap justify-center gap-2">
        <Button look="solid" onClick={begin}>
          {words.app.newSession}
        </Button>
        <Button onClick={() => openDialog("palette")}>{words.panes.findSession}</Button>
      </div>
    </div>
  );
}

/** There is no such session, or it was deleted while it was open: then it can be had back. */
import { api, ask } from "~/api/client";
import { openDialog } from "~/app/dialog";
import { useWords } from "~/i18n";
import { attempt } from "~/session/actions";
import { showBranch } from "~/session/store";
import { Button } from "~/ui/Button";
import { goToNew } from "~/workspace/go";
import type { Pane } from "~/workspace/layout";
import { activate } from "~/workspace/store";

export function MissingSession({ pane, deleted }: { pane: Pane; deleted: boolean }) {
  const words = useWords();
  const begin = () => {
    activate(pane.id);
    goToNew();
  };
  const { session } = pane;
  const restore = () => void attempt(ask(api.POST("/sessions/{id}/restore", { params: { path: { id: session } } })).then(() => showBranch(session, null)));
  return (
    <div className="flex min-h-0 flex-1 flex-col items-center justify-center gap-3 overflow-y-auto p-6 text-center" data-empty={deleted ? "deleted" : "missing"}>
      <h3 className="text-lg font-semibold">{deleted ? words.panes.deletedTitle : words.panes.missingTitle}</h3>
      <p className="max-w-sm break-words text-muted">{deleted ? words.panes.deleted : words.panes.missing(session)}</p>
      <div className="flex flex-wrap justify-center gap-2">
        {deleted && (
          <Button look="solid" data-restore="" onClick={restore}>
            {words.panes.restore}
          </Button>
        )}
        <Button look={deleted ? "outline" : "solid"} onClick={begin}>
          {words.app.newSession}
        </Button>
        <Button onClick={() => openDialog("palette")}>{words.panes.findSession}</Button>
      </div>
    </div>
  );
}

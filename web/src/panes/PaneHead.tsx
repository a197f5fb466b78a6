/** What stands above a conversation: its title and state, its model, and what can be done with the pane. */
import { Columns2, Menu as MenuIcon, X } from "lucide-react";
import { ConfigPicker } from "~/configs/ConfigPicker";
import { useWords } from "~/i18n";
import { change } from "~/session/actions";
import { setDraft, useDraft } from "~/session/drafts";
import { useSession } from "~/session/store";
import { useSettings } from "~/settings/store";
import { SessionMenu } from "~/sidebar/SessionMenu";
import { showSidebar } from "~/sidebar/sheet";
import { StateMark } from "~/sidebar/StateMark";
import { IconButton } from "~/ui/Button";
import { close, split } from "~/workspace/go";
import type { Pane } from "~/workspace/layout";
import { useNarrow } from "~/workspace/useNarrow";

export function PaneHead({ pane, first, several, missing }: { pane: Pane; first: boolean; several: boolean; missing: boolean }) {
  const words = useWords();
  const narrow = useNarrow();
  const session = useSession(pane.session, (state) => state.thread.session);
  const sidebar = useSettings((settings) => settings.sidebar);
  const known = missing ? null : session;
  return (
    <header className="@container flex h-11 shrink-0 items-center gap-1 border-b border-line px-2">
      {(narrow || (!sidebar && first)) && (
        <IconButton name={words.panes.openSidebar} onClick={showSidebar}>
          <MenuIcon />
        </IconButton>
      )}
      <div className="flex min-w-0 flex-1 items-center gap-1">
        <h2 className="min-w-0 truncate px-1 text-sm font-medium" title={known?.title ?? undefined}>
          {missing ? words.panes.unknownTitle : (known?.title ?? words.app.untitled)}
        </h2>
        {!missing && <State pane={pane} />}
        <div className="ml-auto flex min-w-0">{!missing && <Model pane={pane} />}</div>
      </div>
      <div className="flex shrink-0 items-center">
        {!narrow && (
          <IconButton name={words.panes.split} onClick={() => split(pane.id, "right")}>
            <Columns2 />
          </IconButton>
        )}
        {known && <SessionMenu session={known} />}
        {several && (
          <IconButton name={words.panes.closePane} onClick={() => close(pane.id)}>
            <X />
          </IconButton>
        )}
      </div>
    </header>
  );
}

function State({ pane }: { pane: Pane }) {
  const running = useSession(pane.session, (state) => state.thread.running !== null);
  const failed = useSession(pane.session, ({ thread }) => thread.rows.get(thread.keys.at(-1) ?? "")?.facts.status === "failed");
  return running || failed ? <StateMark state={running ? "running" : "error"} /> : null;
}

function Model({ pane }: { pane: Pane }) {
  const session = useSession(pane.session, (state) => state.thread.session);
  const draft = useDraft(pane.session);
  const pick = (id: string) => (session ? void change(pane.session, { config_id: id }) : setDraft(pane.session, { config: id }));
  return <ConfigPicker value={(session ? session.config_id : draft.config) ?? null} onPick={pick} />;
}

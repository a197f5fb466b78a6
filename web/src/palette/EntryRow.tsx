/** One thing that the palette offers: a session with its state, or an action with its keys. */
import { useWords } from "~/i18n";
import { useSessionState } from "~/session/seen";
import { StateMark } from "~/sidebar/StateMark";
import { Caps } from "./Caps";
import type { CommandId } from "./commands";
import type { Entry } from "./entries";
import { icons } from "./icons";
import { shortcuts } from "./keys";

interface Props {
  id: string;
  entry: Entry;
  chosen: boolean;
  onPoint: () => void;
  onTake: (beside: boolean) => void;
}

export function EntryRow({ id, entry, chosen, onPoint, onTake }: Props) {
  return (
    <div
      id={id}
      role="option"
      aria-selected={chosen}
      data-entry={entry.kind === "session" ? entry.session.id : entry.command}
      onPointerMove={() => chosen || onPoint()}
      onMouseDown={(event) => event.preventDefault()}
      onClick={(event) => onTake(event.ctrlKey || event.metaKey)}
      onAuxClick={(event) => event.button === 1 && onTake(true)}
      className="flex min-h-9 cursor-pointer items-center gap-2.5 rounded-lg px-3 py-1 text-sm aria-selected:bg-hover"
    >
      {entry.kind === "session" ? <SessionEntry entry={entry} /> : <CommandEntry command={entry.command} />}
    </div>
  );
}

function SessionEntry({ entry: { session } }: { entry: Extract<Entry, { kind: "session" }> }) {
  const words = useWords();
  const state = useSessionState(session);
  return (
    <>
      <StateMark state={state} />
      <span className="min-w-0 flex-1 truncate">{session.title ?? words.app.untitled}</span>
      {session.archived && <span className="shrink-0 text-xs text-muted">{words.sidebar.archived}</span>}
    </>
  );
}

function CommandEntry({ command }: { command: CommandId }) {
  const words = useWords().palette;
  const Icon = icons[command];
  const keys = shortcuts.find((shortcut) => shortcut.command === command);
  return (
    <>
      <Icon aria-hidden className="size-4 shrink-0 text-muted" />
      <span className="min-w-0 flex-1">{words.commands[command]}</span>
      {keys && <Caps keys={keys} />}
    </>
  );
}

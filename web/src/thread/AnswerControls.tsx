/** What can be done with an answer: copy it, have another one, go on from it elsewhere, see what was sent for it. Put in, it may be copied and gone on from. */
import { Ellipsis, FileJson2, GitFork, RefreshCw } from "lucide-react";
import { useRef } from "react";
import { api, ask } from "~/api/client";
import { useConfigs } from "~/configs/queries";
import { useWords } from "~/i18n";
import { attempt, retry } from "~/session/actions";
import { put } from "~/session/list";
import { textOf } from "~/session/message";
import { isLastOfTurn, type Row } from "~/session/rows";
import { useSession } from "~/session/store";
import { IconButton } from "~/ui/Button";
import { Menu, MenuItem, MenuLabel, MenuLine } from "~/ui/Menu";
import { openBeside, openIn } from "~/workspace/store";
import { type InThread, useThread } from "./context";
import { CopyText } from "./CopyText";
import { Controls } from "./RowFrame";

export function AnswerControls({ row }: { row: Row }) {
  const words = useWords().thread;
  const thread = useThread();
  const text = textOf(row.content);
  return (
    <Controls>
      {text && <CopyText text={text} name={words.copyAnswer} />}
      <IconButton name={words.regenerate} onClick={() => again(thread, row.turn)}>
        <RefreshCw />
      </IconButton>
      <More row={row} />
    </Controls>
  );
}

/** Nobody was asked for it: there is no other answer to have. A fork ends with its turn, so it is offered at its last message. */
export function PutInControls({ row }: { row: Row }) {
  const words = useWords().thread;
  const thread = useThread();
  const text = textOf(row.content);
  const last = useSession(thread.session, (state) => row.facts.kind === "insert" && isLastOfTurn(row, state.thread));
  if (!text && !last) return null;
  return (
    <div className="-ml-2 flex min-h-8 items-center text-xs text-muted">
      <Controls>
        {text && <CopyText text={text} name={words.copyAnswer} />}
        {last && (
          <IconButton name={words.fork} onClick={() => void attempt(fork(thread, row.turn))}>
            <GitFork />
          </IconButton>
        )}
      </Controls>
    </div>
  );
}

function More({ row }: { row: Row }) {
  const words = useWords().thread;
  const thread = useThread();
  const opener = useRef<HTMLButtonElement>(null);
  const showPrompt = () => {
    // The dialog gives the focus back to what has it now; the menu's entry will be gone.
    opener.current?.focus();
    thread.showPrompt(row.turn);
  };
  return (
    <Menu
      align="start"
      trigger={
        <IconButton ref={opener} name={words.moreActions}>
          <Ellipsis />
        </IconButton>
      }
    >
      <MenuItem onSelect={() => void attempt(fork(thread, row.turn))}>
        <GitFork />
        {words.fork}
      </MenuItem>
      <MenuItem onSelect={showPrompt}>
        <FileJson2 />
        {words.whatWasSent}
      </MenuItem>
      <MenuLine />
      <MenuLabel>{words.regenerateWith}</MenuLabel>
      <Configs row={row} />
    </Menu>
  );
}

/** Mounted with the menu, so that not every row asks for configs. */
function Configs({ row }: { row: Row }) {
  const thread = useThread();
  return useConfigs().map((config) => (
    <MenuItem key={config.id} onSelect={() => again(thread, row.turn, config.id)}>
      <RefreshCw />
      <span className="min-w-0 truncate">{config.name}</span>
      {config.model !== config.name && <span className="ml-auto max-w-40 truncate pl-3 text-xs text-muted">{config.model}</span>}
    </MenuItem>
  ));
}

function again({ session, scroller }: InThread, turn: string, config?: string): void {
  scroller.toEnd();
  void retry(session, turn, config);
}

/** A new session that begins with the path up to this turn, beside this one. */
async function fork({ session, pane }: InThread, turn: string): Promise<void> {
  const made = await ask(api.POST("/sessions/{id}/fork", { params: { path: { id: session } }, body: { turn_id: turn } }));
  put(made);
  if (!openBeside(made.id, pane)) openIn(pane, made.id);
}

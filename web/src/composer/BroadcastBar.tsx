/** Whom a message goes to when it goes to several: one chip for each open session. */
import { Megaphone, X } from "lucide-react";
import { useConfigs } from "~/configs/queries";
import { configOf } from "~/configs/state";
import { useWords } from "~/i18n";
import { useDraft } from "~/session/drafts";
import { useList } from "~/session/list";
import { IconButton } from "~/ui/Button";
import { broadcast } from "~/workspace/go";
import type { Pane } from "~/workspace/layout";
import { panes, setBroadcast, useWorkspace } from "~/workspace/store";
import { type Target, toggled } from "./targets";

export function BroadcastBar({ targets }: { targets: Target[] }) {
  const words = useWords().composer;
  const count = targets.filter((target) => target.checked).length;
  return (
    <fieldset data-broadcast="" className="flex items-start gap-2 rounded-lg bg-accent-soft py-1 pr-1 pl-3 text-sm text-accent">
      <legend className="sr-only">{words.broadcastOn}</legend>
      <Megaphone aria-hidden className="mt-1.5 size-4 shrink-0" />
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-1.5 gap-y-1">
        <span className="mr-1 py-0.5">{words.broadcastTo(count)}</span>
        {targets.map((target) => (
          <Chip key={target.pane.session} target={target} />
        ))}
      </div>
      <IconButton name={words.broadcastOff} className="size-7 text-accent" onClick={() => broadcast(null)}>
        <X />
      </IconButton>
    </fieldset>
  );
}

function Chip({ target: { pane, number, checked } }: { target: Target }) {
  const words = useWords();
  const session = useList((list) => list.sessions[pane.session]);
  const draft = useDraft(pane.session);
  const config = configOf(useConfigs(), session ? session.config_id : draft.config);
  const change = (on: boolean) => setBroadcast(toggled(panes(), useWorkspace.getState().broadcast ?? [], pane.session, on));
  return (
    <label className="flex max-w-52 min-w-0 cursor-pointer items-center gap-1.5 rounded-md border border-accent/40 bg-raised px-2 py-0.5 text-text has-focus-visible:outline-2 has-focus-visible:outline-accent">
      <input type="checkbox" data-target={pane.session} checked={checked} onChange={(event) => change(event.target.checked)} className="size-3.5 shrink-0 accent-accent" />
      <span className="truncate">{words.composer.pane(number, session?.title ?? words.app.untitled)}</span>
      {config && <span className="shrink-[2] truncate text-xs text-muted">{config.name}</span>}
    </label>
  );
}

/** In the other panes: that what is written elsewhere comes here too. */
export function BroadcastMark({ pane, targets }: { pane: Pane; targets: Target[] }) {
  const words = useWords().composer;
  if (!targets.some((target) => target.checked && target.pane.session === pane.session)) return null;
  return (
    <p data-broadcast-mark="" className="flex items-center gap-2 px-3 text-xs text-accent">
      <Megaphone aria-hidden className="size-3.5" />
      {words.broadcastHere}
    </p>
  );
}

/** Images and broadcast at the left; stop and send at the right. */
import { ArrowUp, ImagePlus, ListPlus, Megaphone, Square } from "lucide-react";
import { useRef } from "react";
import { useWords } from "~/i18n";
import { stop } from "~/session/actions";
import { useSettings } from "~/settings/store";
import { IconButton } from "~/ui/Button";
import { isMac } from "~/ui/platform";
import { broadcast } from "~/workspace/go";
import { type Pane, panesOf } from "~/workspace/layout";
import { panes, useWorkspace } from "~/workspace/store";
import { IMAGE_TYPES } from "./content";
import type { Target } from "./targets";

interface Props {
  pane: Pane;
  running: boolean;
  blank: boolean;
  editing: boolean;
  targets: Target[] | null;
  onImages: (files: File[]) => void;
  onSend: () => void;
}

export function Buttons({ pane, running, blank, editing, targets, onImages, onSend }: Props) {
  const words = useWords().composer;
  return (
    <div className="flex items-center gap-1">
      <ChooseImages onImages={onImages} />
      <BroadcastToggle />
      <div className="ml-auto flex items-center gap-1.5">
        {running && (
          <IconButton name={words.stop} data-stop="" className="border border-line" onClick={() => void stop(pane.session)}>
            <Square className="fill-current" />
          </IconButton>
        )}
        {(!running || !blank) && <Send running={running} blank={blank} editing={editing} targets={targets} onSend={onSend} />}
      </div>
    </div>
  );
}

function Send({ running, blank, editing, targets, onSend }: Pick<Props, "running" | "blank" | "editing" | "targets" | "onSend">) {
  const words = useWords().composer;
  const enterSends = useSettings((settings) => settings.enterSends);
  const key = enterSends ? "Enter" : isMac ? "⌘ Enter" : "Ctrl+Enter";
  const count = targets?.filter((target) => target.checked).length;
  const name = count !== undefined ? words.broadcastSend(count, key) : editing ? words.sendEdit(key) : running ? words.queue(key) : words.send(key);
  return (
    <IconButton name={name} data-send="" disabled={blank} onClick={onSend} className="bg-accent text-on-accent! hover:bg-accent hover:opacity-90">
      {running && !targets ? <ListPlus /> : <ArrowUp />}
    </IconButton>
  );
}

function BroadcastToggle() {
  const words = useWords().composer;
  const several = useWorkspace((state) => panesOf(state.root).length > 1);
  const on = useWorkspace((state) => state.broadcast !== null);
  if (!several) return null;
  return (
    <IconButton
      name={on ? words.broadcastOff : words.broadcast}
      aria-pressed={on}
      data-broadcast-toggle=""
      className="aria-pressed:bg-accent-soft aria-pressed:text-accent"
      onClick={() => broadcast(on ? null : panes().map((pane) => pane.id))}
    >
      <Megaphone />
    </IconButton>
  );
}

function ChooseImages({ onImages }: { onImages: (files: File[]) => void }) {
  const words = useWords().composer;
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton name={words.addImages} data-add-images="" onClick={() => input.current?.click()}>
        <ImagePlus />
      </IconButton>
      <input
        ref={input}
        type="file"
        accept={IMAGE_TYPES.join()}
        multiple
        hidden
        onChange={(event) => {
          onImages([...(event.target.files ?? [])]);
          // The same file may be chosen again.
          event.target.value = "";
        }}
      />
    </>
  );
}

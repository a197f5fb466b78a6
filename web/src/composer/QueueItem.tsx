/** One message that waits: its text, and what can be done to it. */
import { ChevronDown, ChevronUp, CornerUpRight, Pencil, Trash2 } from "lucide-react";
import { type RefObject, useLayoutEffect, useRef } from "react";
import type { Turn } from "~/api/types";
import { useWords } from "~/i18n";
import { imagesOf, textOf } from "~/session/message";
import { IconButton } from "~/ui/Button";
import { QueueEditor } from "./QueueEditor";

interface Props {
  turn: Turn;
  index: number;
  last: boolean;
  busy: boolean;
  /** What it is being changed to; `null` when it is not. */
  edited: string | null;
  onEdit: (text: string | null) => void;
  onSave: (text: string) => void;
  onRemove: () => void;
  onSendNow: () => void;
  onMove: (to: number) => void;
}

export function QueueItem({ turn, index, last, busy, edited, onEdit, onSave, onRemove, onSendNow, onMove }: Props) {
  const words = useWords().composer;
  const item = useRef<HTMLLIElement>(null);
  const number = index + 1;
  useKeptFocus(item, index);
  const input = turn.input ?? null;
  const images = input === null ? 0 : imagesOf(input).length;
  const text = input === null || turn.kind !== "message" ? words.rerun[turn.kind] : textOf(input);
  return (
    <li ref={item} data-queued={turn.turn_id} aria-busy={busy} className={`flex flex-wrap items-center gap-x-2 rounded-lg px-2 py-0.5 ${busy ? "opacity-60" : ""}`}>
      <span className="shrink-0 text-xs text-muted">{words.queuedItem(number)}</span>
      {edited === null ? (
        <span className="min-w-24 flex-1 truncate" title={text.slice(0, 500)}>
          {text.slice(0, 500)}
          {images > 0 && <span className="text-muted"> · {words.withImages(images)}</span>}
        </span>
      ) : (
        <QueueEditor name={words.editItem(number)} text={edited} onText={onEdit} onSave={onSave} onCancel={() => onEdit(null)} />
      )}
      {edited === null && (
        <div className="ml-auto flex shrink-0 [&_button]:size-7 [&_svg]:size-3.5">
          {turn.kind === "message" && (
            <IconButton name={words.editItem(number)} data-do="edit" onClick={() => onEdit(text)}>
              <Pencil />
            </IconButton>
          )}
          <IconButton name={words.moveUp(number)} data-do="up" aria-disabled={index === 0} className="aria-disabled:opacity-40" onClick={() => index > 0 && onMove(index - 1)}>
            <ChevronUp />
          </IconButton>
          <IconButton name={words.moveDown(number)} data-do="down" aria-disabled={last} className="aria-disabled:opacity-40" onClick={() => !last && onMove(index + 1)}>
            <ChevronDown />
          </IconButton>
          <IconButton name={words.sendItemNow(number)} data-do="now" onClick={onSendNow}>
            <CornerUpRight />
          </IconButton>
          <IconButton name={words.removeItem(number)} data-do="remove" onClick={onRemove}>
            <Trash2 />
          </IconButton>
        </div>
      )}
    </li>
  );
}

/** An element that is moved in the document loses the focus: its button gets it back. */
function useKeptFocus(item: RefObject<HTMLLIElement | null>, index: number): void {
  const focused = useRef<string | null>(null);
  useLayoutEffect(() => {
    const element = item.current!;
    const into = (event: FocusEvent) => {
      focused.current = (event.target as HTMLElement).closest<HTMLElement>("[data-do]")?.dataset.do ?? null;
    };
    const out = (event: FocusEvent) => {
      // Moved, the element has no related target; a user who goes elsewhere takes the focus there.
      if (event.relatedTarget) focused.current = null;
    };
    element.addEventListener("focusin", into);
    element.addEventListener("focusout", out);
    return () => {
      element.removeEventListener("focusin", into);
      element.removeEventListener("focusout", out);
    };
  }, [item]);
  useLayoutEffect(() => {
    if (focused.current && document.activeElement === document.body) item.current?.querySelector<HTMLElement>(`[data-do="${focused.current}"]`)?.focus();
  }, [item, index]);
}

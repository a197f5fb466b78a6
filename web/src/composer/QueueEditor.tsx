/** A waiting message, changed where it stands. */
import { Check, X } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { useWords } from "~/i18n";
import { useSettings } from "~/settings/store";
import { IconButton } from "~/ui/Button";
import { composing } from "~/ui/platform";
import { meaningOf } from "./keys";

interface Props {
  name: string;
  text: string;
  onText: (text: string) => void;
  onSave: (text: string) => void;
  onCancel: () => void;
}

export function QueueEditor({ name, text, onText, onSave, onCancel }: Props) {
  const words = useWords().app;
  const area = useRef<HTMLTextAreaElement>(null);
  const enterSends = useSettings((settings) => settings.enterSends);
  const blank = text.trim() === "";
  useEffect(() => {
    area.current?.focus();
    area.current?.setSelectionRange(area.current.value.length, area.current.value.length);
  }, []);
  const keyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && !composing(event.nativeEvent)) onCancel();
    else if (meaningOf(event.nativeEvent, { enterSends, empty: false }) === "send") !blank && onSave(text);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <textarea
        ref={area}
        aria-label={name}
        data-queue-edit=""
        rows={1}
        value={text}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={keyDown}
        className="field-sizing-content max-h-32 min-w-24 flex-1 resize-none rounded-lg border border-line bg-ground px-2 py-1"
      />
      <IconButton name={words.save} className="size-7" disabled={blank} onClick={() => onSave(text)}>
        <Check />
      </IconButton>
      <IconButton name={words.cancel} className="size-7" onClick={onCancel}>
        <X />
      </IconButton>
    </>
  );
}

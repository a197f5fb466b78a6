/** The field with its images and buttons. */
import type { ClipboardEvent, KeyboardEvent, RefObject } from "react";
import { useWords } from "~/i18n";
import { setDraft, useDraft } from "~/session/drafts";
import { sessionState, useSession } from "~/session/store";
import { empty } from "~/session/thread";
import { useSettings } from "~/settings/store";
import type { Pane } from "~/workspace/layout";
import { Buttons } from "./Buttons";
import { isBlank } from "./content";
import { editOfLast } from "./edit";
import { meaningOf } from "./keys";
import type { Target } from "./targets";
import { pasteAtOnce, TextField } from "./TextField";
import { Thumbnails } from "./Thumbnails";
import { useFileDrop } from "./useFileDrop";
import { useImages } from "./useImages";
import { useSubmit } from "./useSubmit";

interface Props {
  pane: Pane;
  field: RefObject<HTMLTextAreaElement | null>;
  targets: Target[] | null;
  sayProblem: (problem: string | null) => void;
}

export function Box({ pane, field, targets, sayProblem }: Props) {
  const words = useWords().composer;
  const { session } = pane;
  const draft = useDraft(session);
  const running = useSession(session, (state) => state.thread.running !== null);
  const enterSends = useSettings((settings) => settings.enterSends);
  const submit = useSubmit(pane, targets, sayProblem);
  const addImages = useImages(session, sayProblem);
  const drop = useFileDrop(addImages);

  const keyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const untouched = draft.text === "" && draft.parts.length === 0 && !draft.edits;
    const meaning = meaningOf(event.nativeEvent, { enterSends, empty: untouched });
    if (!meaning) return;
    if (meaning === "send") submit();
    if (meaning === "edit-last") {
      const edit = editOfLast(sessionState(session)?.thread ?? empty);
      if (!edit) return;
      setDraft(session, edit);
    }
    event.preventDefault();
  };

  const type = (text: string) => {
    setDraft(session, { text });
    sayProblem(null);
  };
  const paste = (event: ClipboardEvent<HTMLTextAreaElement>) => {
    const { files } = event.clipboardData;
    const text = event.clipboardData.getData("text/plain");
    // What office programs copy is text with a picture of it.
    if (text === "" && files.length > 0) void addImages([...files]);
    else if (pasteAtOnce(event.currentTarget, text)) type(event.currentTarget.value);
    else return;
    event.preventDefault();
  };

  return (
    <div
      {...drop.handlers}
      data-broadcasting={targets ? "" : undefined}
      className={`relative rounded-2xl border bg-raised p-1.5 focus-within:border-accent ${targets ? "border-2 border-accent" : "border-line"}`}
    >
      <Thumbnails parts={draft.parts} onRemove={(index) => setDraft(session, { parts: draft.parts.toSpliced(index, 1) })} />
      <TextField
        field={field}
        text={draft.text}
        onText={type}
        onKeyDown={keyDown}
        onPaste={paste}
        aria-label={words.field}
        placeholder={running ? words.placeholderRunning : words.placeholder}
      />
      <Buttons
        pane={pane}
        running={running}
        blank={isBlank(draft.text, draft.parts)}
        editing={draft.edits !== null}
        targets={targets}
        onImages={(files) => void addImages(files)}
        onSend={() => {
          submit();
          field.current?.focus();
        }}
      />
      {drop.over && <div className="pointer-events-none absolute inset-0 flex items-center justify-center rounded-2xl border-2 border-dashed border-accent bg-raised/90 text-sm">{words.dropHere}</div>}
    </div>
  );
}

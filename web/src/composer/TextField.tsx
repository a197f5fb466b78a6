/**
 * The message field. It is not controlled: React compares and copies a controlled value with every key, which a text
 * of a megabyte makes felt. The draft is the truth; what changes it from outside is written back here.
 */
import { type ComponentProps, type RefObject, useLayoutEffect, useRef, useState } from "react";

/** From here on a text fills the eight lines whatever it says, and measuring it costs. */
const LONG = 4000;
/** The browser inserts a paste line by line, which takes it seconds for a megabyte. Set at once it cannot be undone. */
const PASTE_AT_ONCE = 50_000;
const grows = typeof CSS !== "undefined" && CSS.supports("field-sizing", "content");

interface Props extends Omit<ComponentProps<"textarea">, "value" | "defaultValue" | "onChange" | "ref"> {
  field: RefObject<HTMLTextAreaElement | null>;
  text: string;
  onText: (text: string) => void;
}

export function TextField({ field, text, onText, ...rest }: Props) {
  const long = text.length > LONG;
  const [first] = useState(text);
  const told = useRef(text);
  useLayoutEffect(() => {
    const area = field.current!;
    // To read a long value out of the page costs; what was typed here is known.
    if (told.current !== text) {
      told.current = text;
      area.value = text;
      area.setSelectionRange(text.length, text.length);
    }
    if (!grows) fit(area, long);
  }, [field, text, long]);
  return (
    <textarea
      ref={field}
      data-composer=""
      rows={1}
      defaultValue={first}
      onInput={(event) => {
        told.current = event.currentTarget.value;
        onText(told.current);
      }}
      className={`block max-h-[calc(8lh+1rem)] w-full resize-none overflow-y-auto bg-transparent px-2 py-2 text-base/6 text-text outline-none placeholder:text-muted ${long ? "h-[calc(8lh+1rem)]" : "field-sizing-content"}`}
      {...rest}
    />
  );
}

/** Whether it was taken. */
export function pasteAtOnce(area: HTMLTextAreaElement, text: string): boolean {
  if (text.length < PASTE_AT_ONCE) return false;
  area.setRangeText(text.replaceAll("\r\n", "\n"), area.selectionStart, area.selectionEnd, "end");
  return true;
}

function fit(area: HTMLTextAreaElement, long: boolean): void {
  area.style.height = "";
  if (!long) area.style.height = `${area.scrollHeight}px`;
}

/** Colours what is complete of `code`, a stretch at a time, and never a line twice. */
import { useEffect, useState } from "react";
import type { Stretch, Token } from "./highlighter";
import { languageOf } from "./languages";

const CODE_CHARS_MAX = 100_000;
/** What is coloured in one task; the rest waits for the next. */
const STRETCH_CHARS = 4000;
const PAUSE_MS = 30;

interface Highlighted {
  lines: Token[][];
  /** How much of the code `lines` stand for. */
  chars: number;
  /** The coloured code itself, to see whether it is still the beginning of what is shown. */
  code: string;
  state: Stretch["state"];
}

const nothing: Highlighted = { lines: [], chars: 0, code: "", state: undefined };

export function useHighlight(code: string, name: string, closed: boolean): Highlighted {
  const [done, setDone] = useState(nothing);
  const language = languageOf(name);
  const valid = code === done.code || (done.code.endsWith("\n") && code.startsWith(done.code)) ? done : nothing;
  const end = closed ? code.length : code.lastIndexOf("\n") + 1;
  const waiting = language !== null && code.length <= CODE_CHARS_MAX && valid.chars < end;

  useEffect(() => {
    if (!waiting || !language) return;
    let dropped = false;
    const next = async () => {
      const { tokenizer } = await import("./highlighter");
      const tokenize = await tokenizer(language);
      if (dropped) return;
      const newline = code.indexOf("\n", valid.chars + STRETCH_CHARS);
      const stop = newline === -1 || newline >= end ? end : newline + 1;
      const { lines, state } = tokenize(code.slice(valid.chars, stop).replace(/\n$/, ""), valid.state);
      setDone({ lines: [...valid.lines, ...lines], chars: stop, code: code.slice(0, stop), state });
    };
    const timer = setTimeout(() => void next().catch(() => undefined), PAUSE_MS); // Without colours it is still code.
    return () => {
      dropped = true;
      clearTimeout(timer);
    };
  }, [waiting, language, code, end, valid]);

  return valid;
}

/** Copying a text as it is, byte for byte, and saying so. */
import { useEffect, useState } from "react";
import { currentWords } from "~/i18n";
import { toast } from "./toasts";

const SHOWN_MS = 2000;

/** `copied` for a moment after it was. */
export function useCopy(text: string): { copied: boolean; copyIt: () => void } {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return { copied, copyIt: () => void copy(text).then(setCopied) };
}

/** Puts a text on the clipboard; that it could not is said. */
export async function copy(text: string): Promise<boolean> {
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else copyBySelection(text);
    return true;
  } catch {
    toast(currentWords().app.notCopied);
    return false;
  }
}

/** A page that came over plain HTTP has no clipboard but the one that a selection goes to. */
function copyBySelection(text: string): void {
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.className = "fixed top-0 opacity-0";
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  if (!copied) throw new Error("execCommand");
}

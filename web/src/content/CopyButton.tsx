import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useWords } from "~/i18n";
import { toastError } from "~/ui/toasts";

const SHOWN_MS = 2000;

/** A page served over plain HTTP has no clipboard but the one that a selection goes to. */
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
  if (!copied) throw new Error("copy");
}

export function CopyButton({ text, name }: { text: string; name: string }) {
  const { app: words } = useWords();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);

  const copy = async () => {
    try {
      if (navigator.clipboard) await navigator.clipboard.writeText(text);
      else copyBySelection(text);
      setCopied(true);
    } catch (cause) {
      toastError(cause);
    }
  };
  return (
    <>
      <button
        type="button"
        title={name}
        aria-label={copied ? words.copied : name}
        onClick={copy}
        className="inline-flex h-7 items-center gap-1.5 rounded-lg px-2 text-xs text-muted hover:bg-hover hover:text-text"
      >
        {copied ? <Check className="size-4" aria-hidden /> : <Copy className="size-4" aria-hidden />}
        {copied ? words.copied : words.copy}
      </button>
      <span role="status" aria-live="polite" className="sr-only">
        {copied ? words.copied : ""}
      </span>
    </>
  );
}

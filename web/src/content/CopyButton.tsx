/** Copies a text, with a word beside the sign. */
import { Check, Copy } from "lucide-react";
import { useWords } from "~/i18n";
import { useCopy } from "~/ui/useCopy";

export function CopyButton({ text, name }: { text: string; name: string }) {
  const { app: words } = useWords();
  const { copied, copyIt } = useCopy(text);
  return (
    <>
      <button
        type="button"
        title={name}
        aria-label={copied ? words.copied : name}
        onClick={copyIt}
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

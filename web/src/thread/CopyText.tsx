import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useWords } from "~/i18n";
import { attempt } from "~/session/actions";
import { IconButton } from "~/ui/Button";
import { copy } from "./copy";

const SHOWN_MS = 2000;

/** Copies a text as it is, byte for byte; its place never changes its size. */
export function CopyText({ text, name }: { text: string; name: string }) {
  const words = useWords().app;
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <>
      <IconButton name={name} onClick={() => void attempt(copy(text)).then(setCopied)}>
        {copied ? <Check className="text-ok" /> : <Copy />}
      </IconButton>
      <span role="status" className="sr-only">
        {copied ? words.copied : ""}
      </span>
    </>
  );
}

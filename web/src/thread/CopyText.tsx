/** Copies a text; its place never changes its size. */
import { Check, Copy } from "lucide-react";
import { useWords } from "~/i18n";
import { IconButton } from "~/ui/Button";
import { useCopy } from "~/ui/useCopy";

export function CopyText({ text, name }: { text: string; name: string }) {
  const words = useWords().app;
  const { copied, copyIt } = useCopy(text);
  return (
    <>
      <IconButton name={name} onClick={copyIt}>
        {copied ? <Check className="text-ok" /> : <Copy />}
      </IconButton>
      <span role="status" className="sr-only">
        {copied ? words.copied : ""}
      </span>
    </>
  );
}

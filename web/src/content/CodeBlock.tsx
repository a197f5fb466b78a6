/** A block of code. Its `pre` and `code` stay the same nodes while it grows and gets its colours. */
import { WrapText } from "lucide-react";
import { memo, useState } from "react";
import { useWords } from "~/i18n";
import { IconButton } from "~/ui/Button";
import { CopyButton } from "./CopyButton";
import type { Token } from "./highlighter";
import { unhidden } from "./unhidden";
import { useHighlight } from "./useHighlight";

const Line = memo(({ tokens, ended }: { tokens: Token[]; ended: boolean }) => (
  <>
    {tokens.map(({ text, color }, index) => (
      <span key={index} style={color ? { color } : undefined}>
        {unhidden(text)}
      </span>
    ))}
    {ended && "\n"}
  </>
));

export const CodeBlock = memo(({ code, language, closed }: { code: string; language: string; closed: boolean }) => {
  const { content: words } = useWords();
  const [wrap, setWrap] = useState(false);
  const name = /^[\w+#.-]{1,30}/.exec(language)?.[0] ?? "";
  const { lines, chars } = useHighlight(code, name, closed);
  return (
    <figure className="code-block" aria-label={name ? words.codeIn(name) : words.code}>
      <figcaption>
        <span className="min-w-0 flex-1 truncate">{name || words.code}</span>
        <IconButton className="size-7" name={words.wrap} aria-pressed={wrap} onClick={() => setWrap(!wrap)}>
          <WrapText />
        </IconButton>
        <CopyButton text={code} name={words.copyCode} />
      </figcaption>
      <pre tabIndex={0} dir="ltr" data-wrap={wrap || undefined}>
        <code>
          {lines.map((tokens, index) => (
            <Line key={index} tokens={tokens} ended={index < lines.length - 1 || code[chars - 1] === "\n"} />
          ))}
          {unhidden(code.slice(chars))}
        </code>
      </pre>
    </figure>
  );
});

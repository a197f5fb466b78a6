/** How the model came to its answer, folded. `durationMs` is what is known of it: so far, or in all. */
import { useEffect, useState } from "react";
import { useWords } from "~/i18n";
import { Disclosure } from "./Disclosure";
import { Markdown } from "./Markdown";

export function Reasoning({ text, streaming, durationMs }: { text: string; streaming: boolean; durationMs: number | null }) {
  return (
    <Disclosure label={streaming ? <Thinking sinceMs={durationMs} /> : <Thought durationMs={durationMs} />}>
      {() => (
        <div className="reasoning">
          <Markdown text={text} streaming={streaming} />
        </div>
      )}
    </Disclosure>
  );
}

function Thinking({ sinceMs }: { sinceMs: number | null }) {
  const { content: words } = useWords();
  const [started] = useState(() => Date.now() - (sinceMs ?? 0));
  const [now, setNow] = useState(started);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span className="tabular-nums">{words.thinking(Math.max(Math.floor((sinceMs ?? 0) / 1000), Math.round((now - started) / 1000)))}</span>;
}

function Thought({ durationMs }: { durationMs: number | null }) {
  const { content: words } = useWords();
  return <span>{durationMs === null ? words.thought : words.thoughtFor(Math.max(1, Math.round(durationMs / 1000)))}</span>;
}

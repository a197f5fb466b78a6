/** `results` are by the call's id. While `streaming`, the arguments may still grow. */
import { Wrench } from "lucide-react";
import "./content.css";
import { useWords } from "~/i18n";
import type { ToolCall } from "~/api/types";
import { CodeBlock } from "./CodeBlock";
import { Disclosure } from "./Disclosure";

const SHOWN_CHARS_MAX = 20_000;
const DEPTH_MAX = 40;

export function ToolCalls({ calls, results, streaming }: { calls: ToolCall[]; results: Record<string, string>; streaming: boolean }) {
  return (
    <ul className="flex flex-col gap-1">
      {calls.map((call) => (
        <li key={call.id}>
          <Call call={call} result={Object.hasOwn(results, call.id) ? results[call.id] : undefined} streaming={streaming} />
        </li>
      ))}
    </ul>
  );
}

function Call({ call, result, streaming }: { call: ToolCall; result: string | undefined; streaming: boolean }) {
  const { content: words } = useWords();
  const state = result !== undefined ? words.toolDone : streaming ? words.toolPending : words.toolWaiting;
  return (
    <Disclosure
      label={
        <>
          <Wrench className="size-3.5 shrink-0" aria-hidden />
          <bdi className="truncate font-mono text-text">{call.name}</bdi>
          <span className="shrink-0">· {state}</span>
        </>
      }
    >
      {() => (
        <div className="flex flex-col gap-2">
          <Data label={words.arguments} text={call.arguments} />
          {result !== undefined && <Data label={words.result} text={result} />}
        </div>
      )}
    </Disclosure>
  );
}

function Data({ label, text }: { label: string; text: string }) {
  const { content: words } = useWords();
  const json = text.length <= SHOWN_CHARS_MAX ? pretty(text) : null;
  const left = text.length - SHOWN_CHARS_MAX;
  return (
    <div>
      <div className="text-xs text-muted">{label}</div>
      <CodeBlock code={json ?? text.slice(0, SHOWN_CHARS_MAX)} language={json ? "json" : ""} closed />
      {left > 0 && <div className="text-xs text-muted">{words.shortened(left)}</div>}
    </div>
  );
}

/** Null if it is not an object or a list of JSON, or nested so deeply that its indentation would be most of it. */
function pretty(text: string): string | null {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    const value: unknown = JSON.parse(text);
    return depthOf(value) > DEPTH_MAX ? null : JSON.stringify(value, null, 2);
  } catch {
    return null;
  }
}

function depthOf(value: unknown, above = 0): number {
  if (typeof value !== "object" || value === null || above > DEPTH_MAX) return above;
  return Math.max(above, ...Object.values(value).map((inner) => depthOf(inner, above + 1)));
}

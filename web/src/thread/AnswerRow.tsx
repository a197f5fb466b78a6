/** What a model said, or is saying; or what a client put in as an assistant's message, which ended no turn. */
import { useEffect, useMemo, useState } from "react";
import { Markdown, PlainText, Reasoning, ToolCalls } from "~/content";
import { useWords } from "~/i18n";
import { textOf } from "~/session/message";
import { sessionState, useSession } from "~/session/store";
import { type Row, userKey } from "~/session/rows";
import { AnswerControls, PutInControls } from "./AnswerControls";
import { AnswerFigures } from "./AnswerFigures";
import { useThread } from "./context";
import { Ending } from "./Ending";
import { resultsFor, said, statusOf } from "./lines";
import { RowFrame } from "./RowFrame";
import { Versions } from "./Versions";
import { Waiting } from "./Waiting";

export function AnswerRow({ row }: { row: Row }) {
  const words = useWords().thread;
  const text = textOf(row.content);
  const streaming = row.live !== null;
  return (
    <RowFrame name={words.answered} row={row.key} role="assistant" turn={row.turn} status={statusOf(row)}>
      {row.reasoning && <Thought row={row} />}
      <div data-answer="" className="min-w-0">
        {text && <Markdown text={text} streaming={streaming} />}
        {row.refusal && <PlainText text={row.refusal} />}
      </div>
      {row.toolCalls.length > 0 && <Tools row={row} />}
      {row.input ? <PutInControls row={row} /> : <End row={row} />}
    </RowFrame>
  );
}

/** How it stands with the answer, and what can be done with it. */
function End({ row }: { row: Row }) {
  const { session } = useThread();
  const alone = useSession(session, ({ thread }) => !thread.rows.has(userKey(row.turn)));
  const words = useWords().thread;
  if (row.live) return <Waiting live={row.live} begun={said(row)} />;
  return (
    <>
      {row.facts.status === "completed" && !said(row) && <p className="text-sm text-muted">{words.nothing}</p>}
      <Ending row={row} />
      <div className="-ml-2 flex min-h-8 items-center gap-1 text-xs text-muted">
        <AnswerControls row={row} />
        {alone && <Versions row={row} />}
        <AnswerFigures row={row} />
      </div>
    </>
  );
}

function Thought({ row }: { row: Row }) {
  const durationMs = row.live ? (row.live.reasoningMs ?? null) : null;
  const [kept, setKept] = useState<number | null>(null);
  useEffect(() => {
    if (durationMs !== null) setKept(durationMs);
  }, [durationMs]);
  const thinking = row.live !== null && row.live.reasoningMs === null && row.content === "";
  const soFar = thinking && row.live ? Date.now() - row.live.startedAt : null;
  return (
    <div className="pb-1">
      <Reasoning text={row.reasoning} streaming={thinking} durationMs={soFar ?? durationMs ?? kept} />
    </div>
  );
}

function Tools({ row }: { row: Row }) {
  const words = useWords().thread;
  const { session } = useThread();
  const keys = useSession(session, ({ thread }) => thread.keys);
  const last = keys.at(-1) === row.key;
  const thread = sessionState(session)?.thread;
  // Results come as rows of their own: what they are changes with the keys.
  const results = useMemo(() => (thread ? resultsFor(row, thread) : {}), [keys, row]);
  return (
    <div className="py-1">
      <ToolCalls calls={row.toolCalls} results={results} streaming={row.live !== null} />
      {!row.live && !row.input && last && row.facts.status === "completed" && (
        <p className="pt-1 text-sm text-muted" data-waits="tools">
          {words.waitsForTools}
        </p>
      )}
    </div>
  );
}

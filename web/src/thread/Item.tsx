/** One line of the conversation, and the day that begins with it. Renders again only when its own row changes. */
import { memo } from "react";
import { day } from "~/i18n/figures";
import { useSession } from "~/session/store";
import { useSettings } from "~/settings/store";
import { AnswerRow } from "./AnswerRow";
import { useThread } from "./context";
import { FoldedRow } from "./FoldedRow";
import { type Line, newDay } from "./lines";
import { SendRow } from "./SendRow";
import { UserRow } from "./UserRow";

export const Item = memo(({ line }: { line: Line }) =>
  line.kind === "send" ? <SendRow line={line} /> : <StoredRow line={line} />,
  (before, after) => before.line.key === after.line.key && before.line.previous === after.line.previous && before.line.waits === after.line.waits,
);

function StoredRow({ line }: { line: Line }) {
  const { session } = useThread();
  const row = useSession(session, ({ thread }) => thread.rows.get(line.key));
  const before = useSession(session, ({ thread }) => (line.previous ? (thread.rows.get(line.previous)?.at ?? null) : null));
  if (!row) return null;
  const Row = row.role === "assistant" ? AnswerRow : row.role === "user" ? UserRow : FoldedRow;
  return (
    <>
      {row.input && newDay(row.at, before) && <Day at={row.at!} />}
      <Row row={row} />
    </>
  );
}

function Day({ at }: { at: string }) {
  const language = useSettings((settings) => settings.language);
  return (
    <div data-passing="" className="mx-auto flex w-full max-w-[46rem] items-center gap-3 px-4 pt-4 pb-2 text-xs text-muted">
      <span aria-hidden className="h-px flex-1 bg-line" />
      <time dateTime={at}>{day(at, new Date(), language)}</time>
      <span aria-hidden className="h-px flex-1 bg-line" />
    </div>
  );
}

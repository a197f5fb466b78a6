/** What the user said. */
import { CornerDownRight, Pencil } from "lucide-react";
import { ContentParts } from "~/content";
import { useWords } from "~/i18n";
import { moment, time } from "~/i18n/figures";
import { textOf } from "~/session/message";
import { isAlone, type Row, userKey } from "~/session/rows";
import { useSession } from "~/session/store";
import { useSettings } from "~/settings/store";
import { IconButton } from "~/ui/Button";
import { useThread } from "./context";
import { CopyText } from "./CopyText";
import { beginEdit } from "./edit";
import { statusOf } from "./lines";
import { Controls, RowFrame } from "./RowFrame";
import { Versions } from "./Versions";

export function UserRow({ row }: { row: Row }) {
  const words = useWords().thread;
  return (
    <RowFrame name={words.you} row={row.key} role="user" turn={row.turn} status={statusOf(row)}>
      {row.facts.kind === "continue" ? (
        <p className="flex h-8 items-center justify-end gap-1.5 text-sm text-muted" title={textOf(row.content)}>
          <CornerDownRight aria-hidden className="size-4" />
          {words.continued}
        </p>
      ) : (
        <Bubble>
          <ContentParts content={row.content} />
        </Bubble>
      )}
      <div className={`flex items-center justify-end ${row.facts.kind === "continue" ? "" : "h-8"}`}>
        {row.facts.kind !== "continue" && <UserControls row={row} />}
        {row.key === userKey(row.turn) && <Versions row={row} />}
      </div>
    </RowFrame>
  );
}

export const Bubble = ({ children }: { children: React.ReactNode }) => (
  <div className="flex justify-end">
    <div className="max-w-[85%] min-w-0 rounded-2xl rounded-br-md bg-bubble px-4 py-2.5 [overflow-wrap:anywhere]">{children}</div>
  </div>
);

function UserControls({ row }: { row: Row }) {
  const words = useWords().thread;
  const { session } = useThread();
  // Another message in its place would be asked alone.
  const alone = useSession(session, ({ thread }) => isAlone(row, thread));
  const language = useSettings((settings) => settings.language);
  return (
    <Controls>
      {row.at && (
        <time dateTime={row.at} title={moment(row.at, language)} className="px-1.5 text-xs text-muted tabular-nums">
          {time(row.at, language)}
        </time>
      )}
      <CopyText text={textOf(row.content)} name={words.copyMessage} />
      {row.message && alone && (
        <IconButton name={words.editMessage} onClick={() => beginEdit(session, row)}>
          <Pencil />
        </IconButton>
      )}
    </Controls>
  );
}

/** A tool's result whose call is not among the rows. Folded: it was written for the model. */
import { ChevronRight } from "lucide-react";
import { PlainText } from "~/content";
import { useWords } from "~/i18n";
import { textOf } from "~/session/message";
import type { Row } from "~/session/rows";
import { statusOf } from "./lines";
import { RowFrame } from "./RowFrame";

export function ToolRow({ row }: { row: Row }) {
  const words = useWords().thread;
  return (
    <RowFrame name={words.toolResult} row={row.key} role={row.role} turn={row.turn} status={statusOf(row)}>
      <details className="group/tool text-sm text-muted">
        <summary className="flex cursor-pointer items-center gap-1.5 rounded-lg py-0.5">
          <ChevronRight aria-hidden className="size-4 transition-transform group-open/tool:rotate-90" />
          {words.toolResult}
        </summary>
        <div className="mt-1.5 max-h-80 overflow-auto border-l-2 border-line pl-3.5">
          <PlainText text={textOf(row.content)} />
        </div>
      </details>
    </RowFrame>
  );
}

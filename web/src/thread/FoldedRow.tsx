/** What was written for the model and not for the reader: a system message, or a tool's result whose call is not among the rows. */
import { ChevronRight } from "lucide-react";
import { ContentParts } from "~/content";
import { useWords } from "~/i18n";
import type { Row } from "~/session/rows";
import { statusOf } from "./lines";
import { RowFrame } from "./RowFrame";

export function FoldedRow({ row }: { row: Row }) {
  const words = useWords().thread;
  const name = row.role === "system" ? words.systemMessage : words.toolResult;
  return (
    <RowFrame name={name} row={row.key} role={row.role} turn={row.turn} status={statusOf(row)}>
      <details className="group/folded py-1 text-sm text-muted">
        <summary className="-mx-1.5 inline-flex cursor-pointer items-center gap-1.5 rounded-lg px-1.5 py-0.5 hover:bg-hover hover:text-text">
          <ChevronRight aria-hidden className="size-4 transition-transform group-open/folded:rotate-90" />
          {name}
        </summary>
        <div className="mt-1.5 max-h-80 overflow-auto border-l-2 border-line pl-3.5">
          <ContentParts content={row.content} />
        </div>
      </details>
    </RowFrame>
  );
}

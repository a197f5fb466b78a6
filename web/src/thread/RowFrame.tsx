/** What all rows have in common: the measure, and the hooks by which others find them. */
import type { ReactNode } from "react";
import type { RowStatus } from "./lines";

interface Props {
  name: string;
  row: string;
  role: "user" | "assistant" | "tool" | "system";
  turn: string | null;
  status: RowStatus;
  children: ReactNode;
}

export function RowFrame({ name, row, role, turn, status, children }: Props) {
  return (
    <article
      aria-label={name}
      data-row={row}
      data-role={role}
      data-turn={turn ?? undefined}
      data-status={status}
      className={`group/row mx-auto w-full max-w-[46rem] px-4 ${role === "user" ? "pt-4" : "pt-1"}`}
    >
      {children}
    </article>
  );
}

/** Controls of a row: there at all times, seen when it is pointed at or has the focus. */
export function Controls({ children, always = false }: { children: ReactNode; always?: boolean }) {
  return (
    <div
      className={`flex items-center ${always ? "" : "opacity-0 group-focus-within/row:opacity-100 group-hover/row:opacity-100 has-data-[state=open]:opacity-100 pointer-coarse:opacity-100"}`}
    >
      {children}
    </div>
  );
}

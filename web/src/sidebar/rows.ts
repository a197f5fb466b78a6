/** Moving through the list with the arrow keys. */
import type { KeyboardEvent } from "react";
import type { Line } from "./groups";

/** The session's line that a key leads to from line `at`, or -1. */
export function lineFor(key: string, lines: Line[], at: number): number {
  const isSession = (line: Line) => line.kind === "session";
  if (key === "ArrowDown") return lines.findIndex((line, index) => index > at && isSession(line));
  if (key === "ArrowUp") return lines.findLastIndex((line, index) => index < at && isSession(line));
  if (key === "Home") return lines.findIndex(isSession);
  if (key === "End") return lines.findLastIndex(isSession);
  return -1;
}

export function arrowTo(event: KeyboardEvent, lines: Line[], at: number, show: (index: number) => void): void {
  if (!(event.target as Element).closest("a[href]")) return;
  const to = lineFor(event.key, lines, at);
  const line = lines[to];
  if (line?.kind !== "session") return;
  event.preventDefault();
  show(to);
  const box = event.currentTarget;
  const focus = (tries: number) => {
    const row = box.querySelector<HTMLElement>(`[data-session-row="${CSS.escape(line.session.id)}"] a`);
    if (row) row.focus({ preventScroll: true });
    else if (tries > 0) requestAnimationFrame(() => focus(tries - 1));
  };
  focus(10);
}

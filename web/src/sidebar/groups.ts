/** The list's lines: sessions under the headings of when they were used. Pure. */
import type { Session } from "~/api/types";

/** `pinned`, `today`, `yesterday`, `week`, or a month as `2026-03`. */
type Group = string;

export type Line = { kind: "head"; group: Group } | { kind: "session"; session: Session };

/** Of a list that is sorted as the sidebar shows it. Days are those of the reader's own calendar. */
export function linesOf(sessions: Session[], now: Date): Line[] {
  const groupOf = grouping(now);
  const lines: Line[] = [];
  let last: Group | null = null;
  for (const session of sessions) {
    const group = session.pinned ? "pinned" : groupOf(session.active_at);
    if (group !== last) lines.push({ kind: "head", group });
    last = group;
    lines.push({ kind: "session", session });
  }
  return lines;
}

function grouping(now: Date): (at: string) => Group {
  const daysAgo = (days: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() - days).toISOString();
  const [today, yesterday, week] = [daysAgo(0), daysAgo(1), daysAgo(6)];
  return (at) => {
    if (at >= today) return "today";
    if (at >= yesterday) return "yesterday";
    if (at >= week) return "week";
    const date = new Date(at);
    return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}`;
  };
}

/** A month's name; its year only when it is not this one. */
export function monthName(group: Group, language: string, now: Date): string {
  const [year, month] = group.split("-").map(Number) as [number, number];
  const date = new Date(year, month - 1, 1);
  const format: Intl.DateTimeFormatOptions = year === now.getFullYear() ? { month: "long" } : { month: "long", year: "numeric" };
  return new Intl.DateTimeFormat(language, format).format(date);
}

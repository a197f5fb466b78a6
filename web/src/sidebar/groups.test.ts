import { expect, test } from "vitest";
import type { Session } from "~/api/types";
import { linesOf, monthName } from "./groups";
import { lineFor } from "./rows";

const now = new Date(2026, 2, 10, 15, 30);
const at = (...parts: [number, number, number, number]) => new Date(...parts).toISOString();
const session = (id: string, active_at: string, pinned = false) => ({ id, active_at, pinned, archived: false }) as Session;
const told = (sessions: Session[]) => linesOf(sessions, now).map((line) => (line.kind === "head" ? `# ${line.group}` : line.session.id));

test("sessions stand under the days of the reader's calendar, then under months", () => {
  const sessions = [
    session("pinned", at(2024, 0, 1, 1), true),
    session("now", at(2026, 2, 10, 15)),
    session("midnight", at(2026, 2, 10, 0)),
    session("late", at(2026, 2, 9, 23)),
    session("days", at(2026, 2, 4, 0)),
    session("march", at(2026, 2, 3, 23)),
    session("february", at(2026, 1, 28, 12)),
    session("old", at(2025, 1, 28, 12)),
  ];
  expect(told(sessions)).toEqual(["# pinned", "pinned", "# today", "now", "midnight", "# yesterday", "late", "# week", "days", "# 2026-03", "march", "# 2026-02", "february", "# 2025-02", "old"]);
  expect(told([])).toEqual([]);
});

test("a month has its year when it is another one", () => {
  expect(monthName("2026-02", "en", now)).toBe("February");
  expect(monthName("2025-02", "en", now)).toBe("February 2025");
  expect(monthName("2026-02", "zh-CN", now)).toBe("二月");
  expect(monthName("2025-02", "zh-CN", now)).toBe("2025年2月");
});

test("arrow keys go from session to session over the headings", () => {
  const lines = linesOf([session("a", at(2026, 2, 10, 15)), session("b", at(2026, 2, 9, 1))], now);
  expect([lineFor("ArrowDown", lines, 1), lineFor("ArrowUp", lines, 3), lineFor("Home", lines, 3), lineFor("End", lines, 1)]).toEqual([3, 1, 1, 3]);
  expect([lineFor("ArrowDown", lines, 3), lineFor("ArrowUp", lines, 1), lineFor("a", lines, 1)]).toEqual([-1, -1, -1]);
});

/** When an answer has ended before the reader's eyes. Pure. */
import type { TurnStatus } from "~/api/types";
import type { Thread } from "~/session/thread";

/** The last answer: `turn` and how it stands, as one text, so that it is the same while nothing changes. */
export function lastAnswer({ keys, rows }: Pick<Thread, "keys" | "rows">): string {
  const row = rows.get(keys.findLast((key) => rows.get(key)?.input === false) ?? "");
  return row ? `${row.turn} ${row.live ? "running" : row.facts.status}` : "";
}

/** The turn that has ended between two such states and was not told of before. A look at another branch is no end. */
export function endedNow(before: string, now: string, told: ReadonlySet<string>, ended: ReadonlySet<string>): { turn: string; status: TurnStatus } | null {
  const [turn = "", status = ""] = now.split(" ");
  if (!turn || status === "running" || told.has(turn)) return null;
  const seen = before === `${turn} running` || ended.has(turn);
  return seen ? { turn, status: status as TurnStatus } : null;
}


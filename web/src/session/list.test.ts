import { expect, test } from "vitest";
import type { Session } from "~/api/types";
import { sorted, stateOf, withoutGone } from "./list";

const session = (id: string, rest: Partial<Session> = {}) => ({ id, active_at: "2026-03-01", pinned: false, archived: false, running: null, head: "t1", head_status: "completed", head_ended_at: "2026-03-01", ...rest }) as Session;
const byId = (...all: Session[]) => Object.fromEntries(all.map((one) => [one.id, one]));

test.each([
  ["runs", session("a", { running: "t2" }), "t1", "running"],
  ["has nothing yet", session("a", { head: null }), undefined, "idle"],
  ["was seen to its end", session("a"), "t1", "idle"],
  ["went on", session("a"), "t0", "unread"],
  ["went on and failed", session("a", { head_status: "failed" }), "t0", "error"],
  ["failed before the user's eyes", session("a", { head_status: "failed" }), "t1", "idle"],
  ["was never seen and ended before this browser came", session("a"), undefined, "idle"],
  ["was never seen and ended since", session("a", { head_ended_at: "2026-03-03" }), undefined, "unread"],
  ["was never seen and failed", session("a", { head_status: "failed" }), undefined, "error"],
])("a session that %s", (_, one, seen, state) => {
  expect(stateOf(one, seen, "2026-03-02")).toBe(state);
});

test("pinned sessions stand first, then the newest; of the archived none", () => {
  const all = byId(session("old"), session("new", { active_at: "2026-03-02" }), session("pinned", { pinned: true }), session("gone", { archived: true }));
  expect(sorted(all, false).map(({ id }) => id)).toEqual(["pinned", "new", "old"]);
  expect(sorted(all, true).map(({ id }) => id)).toEqual(["gone"]);
});

test("after a gap those go that should have come with the first page and did not", () => {
  const [gone, last, older, kept] = [session("gone", { active_at: "5" }), session("last", { active_at: "3" }), session("older", { active_at: "1" }), session("kept", { active_at: "6" })];
  const before = byId(gone, last, older, kept);
  const now = { ...before, ...byId(session("last", { active_at: "3" }), session("kept", { active_at: "6" }), session("new", { active_at: "7" })) };
  expect(Object.keys(withoutGone(before, now, "last")).sort()).toEqual(["kept", "last", "new", "older"]);
  expect(Object.keys(withoutGone(before, now, null)).sort()).toEqual(["kept", "last", "new"]);
});

import { expect, test } from "vitest";
import type { Session } from "~/api/types";
import { stateOf } from "./seen";

const session = (rest: Partial<Session> = {}) => ({ running: null, head: "t1", head_status: "completed", head_ended_at: "2026-03-01", ...rest }) as Session;

test.each([
  ["runs", session({ running: "t2" }), "t1", "running"],
  ["has nothing yet", session({ head: null }), undefined, "idle"],
  ["was seen to its end", session(), "t1", "idle"],
  ["went on", session(), "t0", "unread"],
  ["went on and failed", session({ head_status: "failed" }), "t0", "error"],
  ["failed before the user's eyes", session({ head_status: "failed" }), "t1", "idle"],
  ["was never seen and ended before this browser came", session(), undefined, "idle"],
  ["was never seen and ended since", session({ head_ended_at: "2026-03-03" }), undefined, "unread"],
  ["was never seen and failed", session({ head_status: "failed" }), undefined, "error"],
])("a session that %s", (_, one, seen, state) => {
  expect(stateOf(one, seen, "2026-03-02")).toBe(state);
});

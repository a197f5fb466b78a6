import { expect, test } from "vitest";
import { newestUnsent } from "./unsent";

test("the newest unsent session that is not open comes back", () => {
  const drafts: Parameters<typeof newestUnsent>[0] = [["old", { unsent: true, at: 1 }], ["new", { unsent: true, at: 3 }], ["sent", { unsent: false, at: 4 }], ["known", {}]];
  expect(newestUnsent(drafts, [])).toBe("new");
  expect(newestUnsent(drafts, ["new"])).toBe("old");
  expect(newestUnsent(drafts, ["new", "old"])).toBeNull();
});

import { expect, test } from "vitest";
import { clearDraft, draftOf, setDraft, superfluous } from "./drafts";

const edits = { parent: null };

test("an edit sets aside what was typed, and its end brings it back", () => {
  setDraft("a", { text: "half a thought" });
  setDraft("a", { text: "the old message", edits });
  clearDraft("a");
  expect(draftOf("a")).toMatchObject({ text: "half a thought", edits: null, before: null });
});

test("going from one edit to another keeps what was typed before the first", () => {
  setDraft("b", { text: "mine" });
  setDraft("b", { text: "one", edits });
  setDraft("b", { text: "two", edits: { parent: "t1" } });
  clearDraft("b");
  expect(draftOf("b").text).toBe("mine");
});

test("after sending there is nothing, and the chosen config stays", () => {
  setDraft("c", { text: "hi", config: "deepseek" });
  clearDraft("c");
  expect(draftOf("c")).toMatchObject({ text: "", parts: [], config: "deepseek" });
});

test("of the sessions that were never begun the newest twenty are kept, of the others all", () => {
  const fresh = Array.from({ length: 22 }, (_, at): [string, { fresh: boolean; at: number }] => [`new-${at}`, { fresh: true, at }]);
  expect(superfluous([["begun", { fresh: false, at: 0 }], ["older", {}], ...fresh])).toEqual(["new-1", "new-0"]);
});

import { expect, test } from "vitest";
import type { Hit, Session } from "~/api/types";
import { marked, resultsOf } from "./results";

const title = (id: string, text: string) => ({ id, title: text, active_at: "" }) as Session;
const hit = (kind: "message" | "session", session: string, message: string | null) =>
  ({ kind, session_id: session, session_title: session, message_id: message, turn_id: message && "t", role: message && "user", snippet: [{ text: "x", hit: true }], timestamp: "" }) as Hit;

test("titles come first and once, and the first result of each session is known", () => {
  const results = resultsOf("tea", [title("a", "Tea time")], [hit("message", "b", "m1"), hit("session", "a", null), hit("session", "c", null), hit("message", "a", "m2")]);
  expect(results.map(({ key, first }) => [key, first])).toEqual([
    ["title a", true],
    ["title c", true],
    ["message m1", true],
    ["message m2", false],
  ]);
});

test("every place where the query stands in a title is marked", () => {
  expect(marked("Tea and tea", "TEA ")).toEqual([{ text: "Tea", hit: true }, { text: " and ", hit: false }, { text: "tea", hit: true }]);
  expect(marked("北京三日游", "三日")).toEqual([{ text: "北京", hit: false }, { text: "三日", hit: true }, { text: "游", hit: false }]);
  expect(marked("nothing", "x")).toEqual([{ text: "nothing", hit: false }]);
  expect(marked("İstanbul bul", "bul")).toEqual([{ text: "İstanbul bul", hit: false }]);
});

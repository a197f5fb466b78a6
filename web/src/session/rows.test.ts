import { expect, it } from "vitest";
import type { Message } from "~/api/types";
import { answerKey, isAlone, isLastOfTurn, keyOf, type Row, rowsOf, userKey } from "./rows";

/** A turn's messages in order: `user`, `assistant`, … are what it was asked with, `answer` is its answer. */
const messages = (turn: string, words: string, more: Partial<Message> = {}): Message[] =>
  words.split(" ").map((word, place) => ({ id: `${turn}m${place}`, session_id: "s", turn_id: turn, role: word === "answer" ? "assistant" : word, place, input: word !== "answer", content: word, timestamp: "", kind: "message", status: "completed", siblings: [turn], ...more }) as unknown as Message);
const keys = (rows: Row[]) => rows.map(({ key }) => key);
const path = (...rows: Row[]) => ({ keys: keys(rows), rows: new Map(rows.map((row) => [row.key, row])) });

it("the answer and the user's first word have keys that are known before they are stored", () => {
  expect(messages("t", "user answer").map(keyOf)).toEqual([userKey("t"), answerKey("t")]);
  expect(messages("t", "system user assistant tool user answer").map(keyOf)).toEqual(["t/tm0", "t/tm1", "t/tm2", "t/tm3", "t/tm4", answerKey("t")]);
});

it("a turn that ended without a word has a row for its state, whatever it was asked with", () => {
  expect(keys(rowsOf(messages("t", "user", { status: "failed" })))).toEqual([userKey("t"), answerKey("t")]);
  const rows = rowsOf([...messages("t", "user assistant", { status: "cancelled" }), ...messages("u", "user answer")]);
  expect(keys(rows)).toEqual([userKey("t"), "t/tm1", answerKey("t"), userKey("u"), answerKey("u")]);
  expect(rows[2]).toMatchObject({ role: "assistant", input: false, content: "", message: null, facts: { status: "cancelled" } });
});

it("a turn that runs has no row for a state yet", () => expect(keys(rowsOf(messages("t", "user assistant", { status: "running" })))).toEqual([userKey("t"), "t/tm1"]));

it("what was put in without a question waits for no answer", () => {
  const rows = rowsOf(messages("t", "user assistant", { kind: "insert" }));
  expect(keys(rows)).toEqual([userKey("t"), "t/tm1"]);
  expect(rows.map(({ input }) => input)).toEqual([true, true]);
});

it("a message is known to be all that its turn was asked with", () => {
  const [one, answer] = rowsOf(messages("t", "user answer"));
  expect(isAlone(one!, path(one!, answer!))).toBe(true);
  const several = rowsOf(messages("u", "user user answer"));
  expect(several.map((row) => isAlone(row, path(...several)))).toEqual([false, false, false]);
  expect(several.map((row) => isLastOfTurn(row, path(...several)))).toEqual([false, false, true]);
});

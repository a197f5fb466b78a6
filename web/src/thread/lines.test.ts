import { describe, expect, it } from "vitest";
import type { Sending } from "~/session/outbox";
import { answerKey, type Row, userKey } from "~/session/rows";
import type { Thread } from "~/session/thread";
import { isContinued, linesOf, newDay, resultsFor, said, sendKey, statusOf } from "./lines";

const row = (key: string, more: Partial<Row> & { kind?: string; parent?: string; status?: string } = {}): Row =>
  ({ key, turn: key.split("/")[0], role: key.endsWith("/answer") ? "assistant" : "user", input: !key.endsWith("/answer"), content: "", reasoning: "", refusal: "", toolCalls: [], toolCallId: null, message: null, at: null, live: null, ...more, facts: { status: more.status ?? "completed", kind: more.kind ?? null, parent: more.parent ?? null } }) as unknown as Row;
const live = { startedAt: 0 } as unknown as Row["live"];
const thread = (rows: Row[], more: Partial<Thread> = {}) => ({ keys: rows.map((one) => one.key), rows: new Map(rows.map((one) => [one.key, one])), running: null, queue: [], ...more }) as unknown as Thread;
const send = (key: string, message: string, refused: string | null = null) => ({ key, session: "s", message, refused, at: 0 }) as unknown as Sending;
const keys = (lines: { key: string }[]) => lines.map(({ key }) => key);

describe("a send", () => {
  it("stands behind what was said", () => {
    const lines = linesOf(thread([row(userKey("t1")), row(answerKey("t1"))]), [send("a", "hi")], true);
    expect(keys(lines)).toEqual([userKey("t1"), answerKey("t1"), sendKey(send("a", ""))]);
    expect(lines.at(-1)?.waits).toBe(false);
  });

  it("is not there twice, once its turn has it", () => {
    const known = thread([row(userKey("t2"), { content: "hi" }), row(answerKey("t2"), { live })], { running: "t2" });
    expect(keys(linesOf(known, [send("a", "hi")], true))).toEqual([userKey("t2"), answerKey("t2")]);
    expect(linesOf(known, [send("a", "hi", "no")], true)).toHaveLength(3);
    expect(linesOf(known, [send("a", "hi")], false)).toHaveLength(3);
  });

  it("waits while something else runs", () => {
    const busy = thread([row(userKey("t2"), { content: "hi" }), row(answerKey("t2"), { live })], { running: "t2" });
    expect(linesOf(busy, [send("a", "ho")], true).at(-1)?.waits).toBe(true);
    expect(linesOf(busy, [send("a", "ho", "refused")], true).at(-1)?.waits).toBe(false);
  });
});

describe("a tool's result", () => {
  const call = { id: "c1", name: "f", arguments: "{}" };
  const answer = row(answerKey("t1"), { toolCalls: [call] });
  const result = row("t2/m1", { role: "tool", toolCallId: "c1", content: "12" });

  it("stands with its call", () => {
    const all = thread([answer, result, row(answerKey("t2"))]);
    expect(keys(linesOf(all, [], true))).toEqual([answerKey("t1"), answerKey("t2")]);
    expect(resultsFor(answer, all)).toEqual({ c1: "12" });
  });

  it("stands with its call when both were sent in one turn", () => {
    const rows = [row(userKey("t1")), row("t1/m1", { role: "assistant", toolCalls: [call] }), row("t1/m2", { role: "tool", toolCallId: "c1", content: "12" }), row(answerKey("t1"))];
    expect(keys(linesOf(thread(rows), [], true))).toEqual([userKey("t1"), "t1/m1", answerKey("t1")]);
    expect(resultsFor(rows[1]!, thread(rows))).toEqual({ c1: "12" });
  });

  it("belongs to the call before it, however often its id was used", () => {
    const again = row(answerKey("t3"), { toolCalls: [call] });
    const all = thread([answer, result, row(answerKey("t2")), again, row("t4/m1", { role: "tool", toolCallId: "c1", content: "13" })]);
    expect([resultsFor(answer, all), resultsFor(again, all)]).toEqual([{ c1: "12" }, { c1: "13" }]);
    expect(resultsFor(answer, thread([answer, again, result]))).toEqual({});
  });

  it("stands alone when its call is not there", () => {
    expect(keys(linesOf(thread([result, row(answerKey("t2"))]), [], true))).toEqual(["t2/m1", answerKey("t2")]);
  });
});

describe("a row's status", () => {
  it("of an answer is how it goes", () => {
    expect(statusOf(row(answerKey("t"), { live }))).toBe("waiting");
    expect(statusOf(row(answerKey("t"), { live, reasoning: "hm" }))).toBe("streaming");
    expect(statusOf(row(answerKey("t"), { status: "failed" }))).toBe("failed");
  });

  it("of a message is that it is there", () => {
    expect(statusOf(row(userKey("t"), { status: "failed" }))).toBe("completed");
    expect(statusOf(row("t/m1", { role: "assistant", status: "running" }))).toBe("completed");
  });
  it("knows what was said", () => expect([said(row(answerKey("t"))), said(row(answerKey("t"), { refusal: "no" }))]).toEqual([false, true]));
});

it("an answer is continued by a turn that was asked to, not by the next message", () => {
  const stopped = row(answerKey("t1"), { status: "cancelled" });
  expect(isContinued("t1", thread([stopped]))).toBe(false);
  expect(isContinued("t1", thread([stopped, row(userKey("t2"), { kind: "message", parent: "t1" })]))).toBe(false);
  expect(isContinued("t1", thread([stopped, row(answerKey("t2"), { kind: "continue", parent: "t1" })]))).toBe(true);
  expect(isContinued("t0", thread([stopped, row(answerKey("t2"), { kind: "continue", parent: "t1" })]))).toBe(false);
});

it("a day begins where the reader's does", () => {
  expect(newDay("2026-01-02T12:00:00Z", null)).toBe(true);
  expect(newDay("2026-01-02T12:00:00Z", "2026-01-02T12:30:00Z")).toBe(false);
  expect(newDay("2026-01-02T12:00:00Z", "2025-12-31T12:00:00Z")).toBe(true);
  expect(newDay(null, null)).toBe(false);
});

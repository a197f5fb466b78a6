import { expect, it } from "vitest";
import type { Row } from "~/session/rows";
import { endedNow, lastAnswer } from "./ends";

const none: ReadonlySet<string> = new Set();

it("an end is told when the answer was seen running, or its end came as an event", () => {
  expect(endedNow("t1 running", "t1 completed", none, none)).toEqual({ turn: "t1", status: "completed" });
  expect(endedNow("t1 completed", "t2 failed", none, new Set(["t2"]))).toEqual({ turn: "t2", status: "failed" });
  expect(endedNow("t2 failed", "t2 failed", none, new Set(["t2"]))).toEqual({ turn: "t2", status: "failed" });
});

it("an end is told once", () => expect(endedNow("t1 running", "t1 completed", new Set(["t1"]), none)).toBeNull());

it("opening a session or looking at another branch is no end", () => {
  expect(endedNow("", "t1 completed", none, none)).toBeNull();
  expect(endedNow("t3 completed", "t2 completed", none, new Set(["t3"]))).toBeNull();
  expect(endedNow("t1 completed", "t2 running", none, none)).toBeNull();
});

it("what a client put in is not the last answer", () => {
  const row = (key: string, input: boolean) => ({ key, turn: key.split("/")[0], role: "assistant", input, live: null, facts: { status: "completed" } }) as unknown as Row;
  const rows = new Map([["t1/answer", row("t1/answer", false)], ["t2/m1", row("t2/m1", true)]]);
  expect(lastAnswer({ keys: ["t1/answer", "t2/m1"], rows })).toBe("t1 completed");
});

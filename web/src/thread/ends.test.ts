import { expect, it } from "vitest";
import { endedNow } from "./ends";

const none: ReadonlySet<string> = new Set();

it("an end is told when the answer was seen running, or its end came as an event", () => {
  expect(endedNow("t1 running", "t1 completed", none, none)).toEqual({ turn: "t1", status: "completed" });
  expect(endedNow("t1 completed", "t2 failed", none, new Set(["t2"]))).toEqual({ turn: "t2", status: "failed" });
});

it("an end is told once", () => expect(endedNow("t1 running", "t1 completed", new Set(["t1"]), none)).toBeNull());

it("opening a session or looking at another branch is no end", () => {
  expect(endedNow("", "t1 completed", none, none)).toBeNull();
  expect(endedNow("t3 completed", "t2 completed", none, new Set(["t3"]))).toBeNull();
  expect(endedNow("t1 completed", "t2 running", none, none)).toBeNull();
});

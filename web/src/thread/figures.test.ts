import { expect, it } from "vitest";
import { answeringMs, counted } from "./figures";

it("figures are left out when nobody counted", () => {
  expect(counted(null)).toBe(false);
  expect(counted({ prompt_tokens: 0, completion_tokens: 0, cached_tokens: 0, reasoning_tokens: 0 })).toBe(false);
  expect(counted({ prompt_tokens: 3, completion_tokens: 0, cached_tokens: 0, reasoning_tokens: 0 })).toBe(true);
});

it("an answer's time is without its wait in line", () => {
  expect(answeringMs({ queued_ms: 9000, first_token_ms: 200, total_ms: 12_000 })).toBe(3000);
  expect(answeringMs({ queued_ms: 10, total_ms: 9 })).toBe(0);
});

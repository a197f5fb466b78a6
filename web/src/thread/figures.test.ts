import { expect, it } from "vitest";
import { counted } from "./figures";

it("figures are left out when nobody counted", () => {
  expect(counted(null)).toBe(false);
  expect(counted({ prompt_tokens: 0, completion_tokens: 0, cached_tokens: 0, reasoning_tokens: 0 })).toBe(false);
  expect(counted({ prompt_tokens: 3, completion_tokens: 0, cached_tokens: 0, reasoning_tokens: 0 })).toBe(true);
});

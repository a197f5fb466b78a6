import { describe, expect, it } from "vitest";
import { follows, guess } from "./follow";

describe("the end", () => {
  it("is let go by the smallest step up", () => {
    expect(follows({ following: true, top: 1000 }, { top: 997, gap: 3 })).toBe(false);
    expect(follows({ following: true, top: 1000 }, { top: 998, gap: 2 })).toBe(false);
  });

  it("is followed again by who comes down to it", () => {
    expect(follows({ following: false, top: 900 }, { top: 998, gap: 2 })).toBe(true);
    expect(follows({ following: false, top: 900 }, { top: 990, gap: 10 })).toBe(false);
  });

  it("is still followed when it moved up because the text became shorter", () => {
    expect(follows({ following: true, top: 1000 }, { top: 700, gap: 0 })).toBe(true);
  });

  it("is still followed while text grows faster than the view goes down", () => {
    expect(follows({ following: true, top: 1000 }, { top: 1100, gap: 40 })).toBe(true);
  });
});

it("a longer text is taken to be higher, a narrow column too, and nothing is endless", () => {
  expect(guess("assistant", 4000, 736)).toBeGreaterThan(guess("assistant", 400, 736));
  expect(guess("assistant", 4000, 300)).toBeGreaterThan(guess("assistant", 4000, 736));
  expect(guess("assistant", 4_000_000, 300)).toBeLessThan(6000);
});

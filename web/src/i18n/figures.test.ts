import { describe, expect, it } from "vitest";
import { count, day, duration } from "./figures";

describe("figures", () => {
  it("of time are as exact as anybody wants", () => {
    expect([25, 840, 9940, 12_300, 59_400, 59_600, 185_000].map((ms) => duration(ms, "en"))).toEqual(["25 ms", "0.8 s", "9.9 s", "12 s", "59 s", "1 min 0 s", "3 min 5 s"]);
    expect(duration(12_300, "zh-CN")).toContain("12");
  });

  it("of tokens have their thousands apart", () => expect(count(12_345, "en")).toBe("12,345"));

  it("of days use the words of the language", () => {
    const now = new Date(2026, 4, 10, 1, 0);
    expect(day(new Date(2026, 4, 10, 0, 5).toISOString(), now, "en")).toBe("Today");
    expect(day(new Date(2026, 4, 9, 23, 55).toISOString(), now, "zh-CN")).toBe("昨天");
    expect(day(new Date(2026, 4, 1, 12).toISOString(), now, "en")).toBe("Friday, May 1");
    expect(day(new Date(2024, 4, 1, 12).toISOString(), now, "en")).toContain("2024");
  });
});

import { describe, expect, it } from "vitest";
import { pieces, rowAt, spanAround, steady, sum } from "./span";

const sizes = Array.from({ length: 100 }, () => 100);

describe("the rows that are mounted", () => {
  it("reach as far beyond the view as asked, on both sides", () => {
    expect(spanAround(sizes, 50, -30, 500, 400)).toEqual({ from: 46, to: 60 });
  });

  it("are the last ones when the end is in view", () => {
    expect(spanAround(sizes, 99, 400, 500, 400)).toEqual({ from: 91, to: 100 });
  });

  it("are all of a short list, and none of an empty one", () => {
    expect(spanAround([50, 50], 0, 0, 500, 400)).toEqual({ from: 0, to: 2 });
    expect(spanAround([], 0, 0, 500, 400)).toEqual({ from: 0, to: 0 });
  });

  it("include the neighbours of a row that is higher than everything", () => {
    expect(spanAround([90, 90, 90, 90, 9000, 90, 90, 90, 90], 4, -4000, 500, 400)).toEqual({ from: 1, to: 8 });
  });

  it("stay the same while they cover what is needed", () => {
    const current = { from: 40, to: 60 };
    expect(steady(current, { from: 43, to: 57 }, { from: 41, to: 61 })).toBe(current);
    expect(steady(current, { from: 39, to: 57 }, { from: 35, to: 59 })).toEqual({ from: 35, to: 59 });
    expect(steady(current, { from: 52, to: 58 }, { from: 50, to: 60 })).toEqual({ from: 50, to: 60 });
  });

  it("stand between gaps, with the focused row where it belongs", () => {
    expect(pieces({ from: 3, to: 5 }, 1, 7)).toEqual([
      { gap: { from: 0, to: 1 } },
      { row: 1 },
      { gap: { from: 2, to: 3 } },
      { row: 3 },
      { row: 4 },
      { gap: { from: 5, to: 7 } },
    ]);
    expect(pieces({ from: 0, to: 2 }, 3, 4)).toEqual([{ row: 0 }, { row: 1 }, { gap: { from: 2, to: 3 } }, { row: 3 }]);
    expect(pieces({ from: 0, to: 2 }, -1, 2)).toEqual([{ row: 0 }, { row: 1 }]);
  });
});

describe("heights", () => {
  it("add up", () => expect(sum([1, 2, 3, 4], 1, 3)).toBe(5));

  it("lead back to a row", () => {
    expect(rowAt([100, 50, 100], 120)).toEqual({ at: 1, offset: -20 });
    expect(rowAt([100, 50, 100], 0)).toEqual({ at: 0, offset: 0 });
    expect(rowAt([100, 50, 100], 9000)).toEqual({ at: 2, offset: 150 - 9000 });
    expect(rowAt([], 10)).toEqual({ at: 0, offset: 0 });
  });
});

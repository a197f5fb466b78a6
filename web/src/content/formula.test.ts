import { expect, it } from "vitest";
import { depthOf, isDrawable, TEX_DEPTH_MAX } from "./formula";

const nested = (open: string, close: string, times: number) => open.repeat(times) + "x" + close.repeat(times);

it("counts braces, delimiters and environments that stand in each other", () => {
  expect(depthOf("\\frac{a}{b} \\left( {c} \\right) \\leftarrow \\{ \\\\{d} % {{{")).toBe(2);
  expect(depthOf(nested("\\begin{matrix}", "\\end{matrix}", 3))).toBe(4);
  expect(depthOf(nested("{%}\n", "}", 50))).toBe(50);
});

it.each([
  ["x_{", "}"],
  ["\\frac{1}{", "}"],
  ["\\left(", "\\right)"],
  ["\\sqrt{", "}"],
  ["\\begin{matrix}", "\\end{matrix}"],
])("draws %s…%s, but not without end", (open, close) => {
  expect(isDrawable(nested(open, close, TEX_DEPTH_MAX - 1))).toBe(true);
  expect(isDrawable(nested(open, close, TEX_DEPTH_MAX + 1))).toBe(false);
});

it("takes no macros, and no novels", () => {
  expect(isDrawable("\\def\\a{x}\\a")).toBe(false);
  expect(isDrawable("\\newcommand{\\a}{x}\\a")).toBe(false);
  expect(isDrawable("\\deg \\showcase \\longrightarrow")).toBe(true);
  expect(isDrawable("x".repeat(5000))).toBe(false);
});

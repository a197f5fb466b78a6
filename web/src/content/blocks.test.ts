import { expect, it } from "vitest";
import { split, splitter } from "./blocks";

const long = "A paragraph that is long enough to stand alone. ".repeat(10);
const kinds = (text: string) => split(text).map((block) => `${block.kind}: ${block.kind === "code" ? block.code : block.kind === "maths" ? block.tex : block.source.trim().slice(0, 12)}`);

it("cuts at blank lines, but not within code, maths or lists", () => {
  expect(kinds(`${long}\n\n${long}\n\`\`\`js\na\n\n# b\n\`\`\`\nafter`)).toEqual(["markdown: A paragraph ", "markdown: A paragraph ", "code: a\n\n# b", "markdown: after"]);
  expect(kinds("$$\nx\n$$\n\\[ y \\]\n$$ z $$")).toEqual(["maths: x", "maths: y", "maths: z"]);
  expect(kinds(`- ${long}\n\n  \`\`\`\n  in an item\n\n  \`\`\`\n\n- two`)).toHaveLength(1);
});

it("loses nothing but blank lines", () => {
  const text = `\n\n# a\r\n\r\n${long}\n\n1. b\n\n   c\n\n~~~\nd\n~~~\n\n\n$$\ne`;
  const written = (text: string) => text.replace(/\s/g, "");
  expect(written(split(text).map(({ source }) => source).join(""))).toBe(written(text));
});

it("keeps code to the byte", () => {
  const code = "a\r\n\tb  \r\n\r\n`` c ``\u202e\u0000";
  expect(split(`\`\`\`sh\r\n${code}\r\n\`\`\`\r\n`)[0]).toMatchObject({ kind: "code", code, language: "sh", closed: true });
  expect(split("  ```\n    a\n  b\n c\n  ```")[0]).toMatchObject({ code: "  a\nb\nc" });
  expect(split("````md\n```\n````")[0]).toMatchObject({ code: "```", closed: true });
  expect(split("```py")[0]).toMatchObject({ kind: "code", code: "", language: "", closed: false });
});

it("does not take brackets, prices and inline code for maths or fences", () => {
  expect(kinds("\\[not maths\\] but text\n```inline``` code\n$$ unfinished\n\nnext")).toEqual(["markdown: \\[not maths\\"]);
});

it("answers while growing what it answers at once, and keeps finished blocks", () => {
  const text = `# a\n\n${long}\n\n- b\n- c\n\n\`\`\`js\nd\n\`\`\`\n\n${long}\n\n$$\ne\n$$\n${long}\n\nlast`;
  const grow = splitter();
  let first: unknown;
  for (let end = 1; end <= text.length; end++) {
    const blocks = grow(text.slice(0, end));
    expect(blocks).toEqual(split(text.slice(0, end)));
    if (blocks.length > 3) first ??= blocks[0];
    if (first) expect(blocks[0]).toBe(first);
  }
  expect(grow("another text")).toEqual(split("another text"));
});

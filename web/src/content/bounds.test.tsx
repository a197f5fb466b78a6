import { describe, expect, it } from "vitest";
import { renderToStaticMarkup } from "react-dom/server";
import { splitter } from "./blocks";
import { BLOCK_COST_MAX, costOf } from "./bounds";
import { Markdown } from "./Markdown";
import { MarkdownBlock } from "./MarkdownBlock";
import { isDue, settled } from "./tail";

const fill = (unit: string, chars = 80_000) => unit.repeat(Math.ceil(chars / unit.length));
/** As much as a block may hold of it, again and again: the bounds themselves are the attack. */
const blocksOf = (unit: string) => fill(`${fill(unit, 3000)}\n\n`);

const hostile: Record<string, string> = {
  bold: fill("**a**"),
  slanted: fill("_a"),
  "bold Chinese": fill("**中文。**后"),
  "mixed marks": fill("*_~~"),
  "open brackets": fill("[", 50_000),
  "open links": fill("[a]("),
  "open links in a block": "[a](".repeat(10_000),
  "blocks of open links": blocksOf("[a]("),
  "blocks of open brackets": blocksOf("["),
  "open images": fill("![a"),
  "closing brackets": fill("]"),
  "less-than": fill("<"),
  "open tags": fill("<a "),
  comments: fill("<!--"),
  dollars: fill("$"),
  "spaced dollars": fill("$ a"),
  "formulas": fill("$x$ "),
  "open brackets of maths": fill("\\(a"),
  backticks: fill("`"),
  "backticks of many lengths": Array.from({ length: 400 }, (_, length) => "`".repeat(length)).join(" "),
  tildes: fill("~~a "),
  entities: fill("&amp;"),
  mails: fill("a@b.c "),
  addresses: fill("http://a.b "),
  notes: fill("[^1]"),
  quotes: `${"> ".repeat(1000)}a`,
  "quotes on every line": fill(`${"> ".repeat(30)}a\n`),
  "lazy quotes": `> a\n${fill("a\n")}`,
  lists: `${"- ".repeat(1000)}a`,
  "lists in lists": Array.from({ length: 1000 }, (_, depth) => `${"  ".repeat(depth)}- a`).join("\n"),
  "short items": fill("- a\n"),
  "headings by line": fill("a\n-\n"),
  headings: fill("# a\n"),
  rules: fill("---\n"),
  fences: fill("```\n```\n"),
  "an unclosed fence": `\`\`\`js\n${fill("let **x** = `1`;\n")}`,
  "unclosed fences in items": fill("- ```\n"),
  "unclosed maths": `$$\n${fill("**a**\n")}`,
  definitions: fill("[a]: b\n"),
  "references to long definitions": `${Array.from({ length: 40 }, (_, name) => `[${name}]: http://a.b/${"c".repeat(480)}\n`).join("")}\n${fill(`${Array.from({ length: 40 }, (_, name) => `[${name}]`).join("").repeat(3)}\n\n`)}`,
  "a huge table": `|${" a |".repeat(50)}\n|${"---|".repeat(50)}\n${`|${" a |".repeat(50)}\n`.repeat(500)}`,
  "one long word": fill("a"),
  "short paragraphs": fill("a\n\n"),
  "blank lines": fill("\n"),
  "blocks of bold": blocksOf("**a**"),
  "blocks of items": blocksOf("- a\n"),
  "blocks of addresses": blocksOf("http://a.b "),
  "blocks of brackets": blocksOf("]"),
};

/** The time of this process: the machine may have other things to do. */
const timed = (run: () => void): number => {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};

/** Well beyond every bound: later chunks cost what the last of these do. */
const STREAMED_CHARS = 8_000;
/** Generous: machines differ, and others work on this one. What is not bounded takes tens of seconds. */
const FINISHED_MS_MAX = 2500;
const UPDATE_MS_MAX = 1000;

describe.each(Object.entries(hostile))("hostile: %s", (_, text) => {
  it("renders at once when finished", { timeout: 60_000 }, () => {
    const ms = timed(() => renderToStaticMarkup(<Markdown text={text} streaming={false} />));
    expect(ms).toBeLessThan(FINISHED_MS_MAX);
  });

  it("keeps up when streamed", { timeout: 60_000 }, () => {
    const split = splitter();
    let shown = "";
    const updates = Array.from({ length: Math.ceil(Math.min(text.length, STREAMED_CHARS) / 200) }, (_, index) =>
      timed(() => {
        const tail = split(text.slice(0, (index + 1) * 200)).at(-1);
        if (tail?.kind !== "markdown" || tail.cost > BLOCK_COST_MAX || !isDue(shown, tail)) return;
        shown = tail.source;
        renderToStaticMarkup(<MarkdownBlock source={settled(shown)} growing />);
      }),
    );
    expect(Math.max(...updates)).toBeLessThan(UPDATE_MS_MAX);
  });
});

it("weighs what an inline formula holds", () => {
  const formula = (tex: string) => costOf(`a $${tex}$ b`);
  expect(formula("x".repeat(2000)) - formula("x")).toBeGreaterThan(50);
  expect(costOf(`a \\(${"x".repeat(2000)}\\) b`)).toBeGreaterThan(50);
});

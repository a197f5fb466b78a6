/** What a growing answer does not do: rebuild what is finished, flash its source, outlive a stop. */
import { sampleFrames, timeTo } from "./measure.mjs";
import { names } from "./names.mjs";
import { answer, answers, answerText, button, ends, hasText, isShown, mark, pane, rows, send } from "./page.mjs";

const identity = {
  number: 15,
  name: "DOM nodes of a finished code block keep their identity while later text streams",
  async run({ page, server, upstream, open, expect }) {
    const gate = upstream.gate();
    const code = "```rust\nfn main() {\n    let greeting = \"hello\";\n    println!(\"{greeting}\");\n}\n```\n\nThat was the program. ";
    upstream.on("program", [{ text: code, chunk: 7, everyMs: 5 }, { wait: gate }, { tokens: 150, rate: 100, token: (index) => `word${index}${index % 20 === 19 ? "\n\n" : " "}` }]);
    const session = await server.session("Code");
    await open(`/s/${session}`);
    const here = pane(page, session);
    await send(here, "a program, please");
    await answers(here, "That was the program.");
    await isShown(answer(here).locator("pre span[style]"), "the code to have its colours");
    const figure = await mark(answer(here).locator("figure, figure *"));
    expect(figure.count > 10, "the code block to consist of many nodes");
    gate.open();
    await answers(here, "word149");
    await ends(here);
    expect.equal(await figure.left(), figure.count, "every node of the code block is still the same");
    expect.equal(await answer(here).locator("figure, figure *").count(), figure.count, "no node was added to it");
  },
};

const halfOpen = {
  number: 16,
  name: "half-open markdown never flashes raw: no frame shows a dangling **, a literal fence or ](",
  async run({ page, server, upstream, open, report, expect }) {
    const text = [
      "A word in **bold face**, another **粗体字**, and a [link to the manual](https://example.com/manual) in one line.",
      "- a point with **weight**\n- and a [second link](https://example.com/second)",
      "```python\nprint('**not bold**')\n```",
      "Then ~~struck~~, *slanted* and `inline` to the end, with **one more** at last.",
    ].join("\n\n");
    upstream.on("markdown", [{ text, chunk: 2, everyMs: 12 }]);
    const session = await server.session("Markdown");
    await open(`/s/${session}`);
    const here = pane(page, session);
    const shown = () => {
      const copy = document.querySelector("[data-answer]")?.cloneNode(true);
      copy?.querySelectorAll("pre, code").forEach((node) => node.remove());
      return copy?.textContent ?? "";
    };
    const stop = await sampleFrames(page, shown);
    await send(here, "markdown");
    await ends(here, "completed", 15_000);
    const seen = new Set((await stop()).map(({ value }) => value));
    const raw = [...seen].filter((value) => /\*\*|```|\]\(/.test(value));
    report("different frames", seen.size, "");
    expect(seen.size > 30, "the answer to be seen growing");
    expect.equal(raw, [], "no frame shows raw markdown");
    for (const [what, count] of [["strong", 4], ["a[href]", 2], ["del", 1], ["em", 1], ["pre", 1]]) {
      expect.equal(await answer(here).locator(what).count(), count, `${what} is set in the end`);
    }
  },
};

const stopping = {
  number: 17,
  name: "stop acts within 200 ms, keeps the partial text, labels it “stopped”, offers Continue and Retry",
  async run({ page, server, upstream, open, report, expect }) {
    upstream.on("count", [{ tokens: 2000, rate: 40 }]);
    const session = await server.session("Counting");
    await open(`/s/${session}`);
    const here = pane(page, session);
    await send(here, "count");
    await answers(here, "t5 ");
    const before = (await answerText(here)).trim();
    const stopped = () => document.querySelector('[data-row][data-status="cancelled"]') !== null;
    report("stopped", await timeTo(page, "pointerdown", () => button(here, names.stop).click(), stopped), "ms", 200);
    await expect.soon(() => upstream.requests[0].ended === "left", "the upstream call to be dropped");
    const row = rows(here, "assistant").first();
    const after = (await answerText(here)).trim();
    expect(after.startsWith(before), "the text so far to stay");
    await hasText(row, names.stopped);
    await isShown(button(row, names.retry));

    upstream.script([{ text: "and so on." }]);
    await button(row, names.continue).click();
    await expect.soon(() => upstream.requests.length === 2, "the model to be asked to go on");
    await hasText(here.locator("[data-thread]"), "and so on.");
    await ends(here);
    const stored = (await server.messages(session)).find(({ status }) => status === "cancelled" && "content");
    expect(stored, "the stopped turn to be kept");
    await page.reload();
    await hasText(here.locator("[data-thread]"), after.slice(0, 20));
  },
};

export const story = [identity, halfOpen, stopping];

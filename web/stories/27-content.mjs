/** What a model writes: set well, and harmless. */
import { announcements, watchFrames } from "./measure.mjs";
import { names } from "./names.mjs";
import { answer, answers, button, ends, hasText, isShown, overflowsSideways, pane, rows, send, thread } from "./page.mjs";

/** Shows an answer with this text; gives the pane. */
async function showing({ page, server, upstream, open }, title, text) {
  upstream.on(title, [{ text }]);
  const session = await server.session(title);
  await server.say(session, title);
  await open(`/s/${session}`);
  await answer(pane(page, session)).waitFor();
  return pane(page, session);
}

const markdown = {
  number: 27,
  name: "CJK emphasis, strikethrough and links end where they should; maths renders; wide tables and code scroll in their own box",
  async run({ page, server, upstream, open, expect }) {
    const wide = 18;
    const text = [
      "**中文。**后文，~~旧的说法。~~新的说法，见 https://x.y/z。中文继续。",
      "Euler: $e^{i\\pi} + 1 = 0$, and",
      "$$\\sum_{k=1}^{n} k = \\frac{n(n+1)}{2}$$",
      `|${" column |".repeat(wide)}\n|${" --- |".repeat(wide)}\n|${" a value |".repeat(wide)}`,
      `\`\`\`text\n${"wide ".repeat(100)}\n\`\`\``,
    ].join("\n\n");
    const here = await showing({ page, server, upstream, open }, "typeset", text);
    const shown = answer(here);
    expect.equal(await shown.locator("strong").allTextContents(), ["中文。"], "the bold text ends before 后文");
    expect.equal(await shown.locator("del").allTextContents(), ["旧的说法。"], "the struck text ends before 新的说法");
    const link = shown.locator("a[href]");
    expect.equal([await link.getAttribute("href"), await link.textContent()], ["https://x.y/z", "https://x.y/z"], "the link ends before 。");
    expect.includes(await shown.textContent(), "中文继续", "the text goes on behind the link");
    await expect.soon(async () => (await shown.locator(".katex").count()) === 2, "both formulas to be set");
    expect.equal(await shown.locator(".katex-display").count(), 1, "one of them stands alone");
    expect(!(await shown.textContent()).includes("$"), "no dollar sign to be left");

    const scrollsItself = (inside) =>
      inside.evaluate((element) => {
        for (let box = element; !box.matches("[data-answer]"); box = box.parentElement) {
          if (box.scrollWidth > box.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(box).overflowX)) return true;
        }
        return false;
      });
    expect(await scrollsItself(shown.locator("table")), "the wide table to scroll in its own box");
    expect(await scrollsItself(shown.locator("pre code")), "the wide code to scroll in its own box");
    expect(await thread(here).evaluate((box) => box.scrollWidth <= box.clientWidth + 1), "the thread not to scroll sideways");
    expect(!(await overflowsSideways(page)), "the page not to scroll sideways");
  },
};

const parts = {
  number: 28,
  name: "code has its language, an announced copy byte for byte, a wrap toggle; reasoning and tool calls are folded",
  context: { permissions: ["clipboard-read", "clipboard-write"] },
  async run({ page, server, upstream, open, expect }) {
    const code = 'fn main() {\n\tlet 名 = "a  b";   \n    println!("{名} <&> \\u{2764}");\n}';
    const here = await showing({ page, server, upstream, open }, "code", `\`\`\`rust\n${code}\n\`\`\``);
    await isShown(here.locator("figure").getByText("rust", { exact: true }), "the language to be named");
    const heard = await announcements(page);
    await here.locator("figure").hover();
    await button(here, names.copyCode).click();
    await expect.soon(async () => (await heard()).some((text) => names.copied.test(text)), "the copy to be announced");
    expect.equal(await page.evaluate(() => navigator.clipboard.readText()), code, "the copy is the code, byte for byte");
    const wraps = () => here.locator("pre").evaluate((pre) => getComputedStyle(pre).whiteSpace === "pre-wrap" || getComputedStyle(pre.firstElementChild).whiteSpace === "pre-wrap");
    expect(!(await wraps()), "lines not to be wrapped at first");
    await button(here, names.wrap).click();
    await expect.soon(wraps, "the toggle to wrap the lines");

    upstream.on("think", [{ reasoning: "First the facts, then the verdict.", chunk: 8, everyMs: 300 }, { text: "Thought through, at last.", chunk: 4, everyMs: 50 }]);
    await send(here, "think");
    await answers(here, "Thought through, at last.");
    await ends(here);
    const unfolds = async (pane, fold, ...inside) => {
      await isShown(fold);
      for (const text of inside) expect.equal(await pane.getByText(text).filter({ visible: true }).count(), 0, `“${text}” is folded away at first`);
      await fold.click();
      for (const text of inside) await isShown(pane.getByText(text), `“${text}” to show when it is unfolded`);
    };
    await unfolds(here, button(rows(here, "assistant").last(), names.reasoning), "then the verdict");

    upstream.once("weather", [{ toolCall: { name: "lookup_weather", arguments: { city: "北京" } } }]);
    const session = await server.session("Tools");
    const tools = [{ type: "function", function: { name: "lookup_weather", parameters: { type: "object", properties: { city: { type: "string" } } } } }];
    const called = await server.say(session, "weather", { tools });
    const tool_results = [{ tool_call_id: called.message.tool_calls[0].id, content: "晴，22 度" }];
    await server.api("POST", "/chat", { session_id: session, tool_results, tools });
    await open(`/s/${session}`);
    const there = pane(page, session);
    await unfolds(there, button(there, names.toolCall), "北京", "晴，22 度");
  },
};

const hostile = {
  number: 29,
  name: "scripts, handlers and javascript: links are inert; remote images wait for a click; no third-party request is made",
  async run({ page, server, upstream, open, report, expect }) {
    const text = [
      "<script>window.hacked = 1</script>",
      '<img src="x" onerror="window.hacked = 2"> <svg onload="window.hacked = 3"></svg>',
      "[a trap](javascript:window.hacked=4) and [another](JaVaScRiPt:alert(1)) and [data](data:text/html,<script>window.hacked=5</script>)",
      '<iframe src="https://evil.example/"></iframe><a href="javascript:window.hacked=6">raw</a>',
      "![a picture](https://images.example/pixel.png?who=you)",
      "The end.",
    ].join("\n\n");
    let dialogs = 0;
    page.on("dialog", (dialog) => {
      dialogs += 1;
      void dialog.dismiss();
    });
    upstream.on("hostile", [{ text, chunk: 4000, everyMs: 5 }]);
    const session = await server.session("Hostile");
    await open(`/s/${session}`);
    const here = pane(page, session);
    await send(here, "hostile");
    await ends(here, "completed", 20_000);
    await hasText(answer(here), "The end.");
    expect.equal(await here.locator("script, iframe, [onerror], [onload], img[src^='http']").count(), 0, "nothing of it became an element");
    expect.equal(await here.locator('a[href^="javascript:" i], a[href^="data:" i]').count(), 0, "no link runs or holds a script");
    for (const name of ["a trap", "another"]) await here.getByText(name, { exact: true }).first().click();
    await isShown(button(here, names.loadImage), "the remote image to wait for a click");
    expect.equal([await page.evaluate(() => window.hacked ?? null), dialogs], [null, 0], "nothing of it ran");

    upstream.on("heavy", [{ text: `${"**a**".repeat(16000)} end of it`, chunk: 8000, everyMs: 20 }]);
    const frames = await watchFrames(page);
    await send(here, "heavy");
    await answers(here, "end of it", 20_000);
    report("longest task of heavy markdown", (await frames()).longestTask, "ms", 500);
  },
};

export const story = [markdown, parts, hostile];

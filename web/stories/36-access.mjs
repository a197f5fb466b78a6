/** For those who hear the page. */
import { announcements, axe } from "./measure.mjs";
import { names } from "./names.mjs";
import { answers, button, composer, ends, isShown, openBeside, pane, send, thread } from "./page.mjs";

const text = [
  "## 标题 and heading",
  "Words with `code`, a [link](https://example.com/), $x^2$.",
  "| a | b |\n|---|---|\n| 1 | 2 |",
  "```python\nprint('hello')\n```",
  "- [x] done\n- [ ] to do",
].join("\n\n");

export const story = {
  number: 36,
  name: "axe finds nothing serious; the end of an answer is announced once, tokens never",
  async run({ page, server, upstream, open, visit, expect }) {
    upstream.on("everything", [{ reasoning: "Let me think." }, { text }]);
    upstream.on("fail", [{ status: 400, body: { error: { message: "no" } } }]);
    upstream.on("endless", [{ text: "On and on" }, { hang: true }]);
    const gate = upstream.gate();
    upstream.on("zebra", [{ tokens: 60, rate: 40, token: (index) => `zebra${index} ` }, { wait: gate }, { text: "the end" }]);
    const [a, b] = [await server.session("Everything"), await server.session("Busy")];
    await server.say(a, "everything");
    await server.api("POST", "/chat", { session_id: a, message: "fail" }, { refused: true });
    const [left, right] = await openBeside(page, open, [a, b]);
    await send(right, "endless");
    await answers(right, "On and on");
    await send(right, "queued one");
    const clean = async (where, on = page) => expect.equal(await axe(on), [], `axe finds nothing serious ${where}`);
    await clean("in two panes with code, a failure and a queue");
    for (const [where, keys] of [["in the palette", "Control+k"], ["in the shortcuts", "Control+/"]]) {
      await page.keyboard.press(keys);
      await isShown(page.getByRole("dialog"));
      await clean(where);
      await page.keyboard.press("Escape");
    }
    for (const name of [names.settings, names.configs]) {
      await button(page, name).click();
      await isShown(page.getByRole("dialog"));
      await clean(`in the dialog ${name}`);
      await page.keyboard.press("Escape");
    }
    const narrow = await visit({ viewport: { width: 390, height: 844 }, colorScheme: "dark", locale: "zh-CN" });
    await open(`/s/${a}`, narrow);
    await composer(pane(narrow, a)).waitFor();
    await clean("on a narrow, dark, Chinese page", narrow);

    expect.equal(await thread(left).getAttribute("aria-live"), "off", "the thread itself is not read out");
    const heard = await announcements(page);
    await send(left, "zebra");
    await answers(left, "zebra59");
    const before = await heard();
    expect.equal(before.filter((line) => line.includes("zebra1")), [], "no token is announced");
    gate.open();
    await ends(left);
    await expect.soon(async () => (await heard()).length > before.length, "the end of the answer to be announced");
    await page.waitForTimeout(500);
    const after = (await heard()).slice(before.length);
    expect(after.length === 1 && names.answered.test(after[0]), `the end to be announced once, not ${JSON.stringify(after)}`);
  },
};

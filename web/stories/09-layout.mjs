/** Where things are: across reloads, on narrow screens, by address. */
import { names } from "./names.mjs";
import { button, composer, isShown, openBeside, overflowsSideways, pane, panes, rowOffset, sessionRow, topRow, wheel } from "./page.mjs";

/** `[session, width]` of the panes that are to be seen. */
const widths = async (page) => {
  const all = await panes(page).evaluateAll((all) => all.map((element) => [element.dataset.session, Math.round(element.getBoundingClientRect().width)]));
  return all.filter(([, width]) => width > 0).sort();
};
const close = (some, others) => some.length === others.length && some.every(([session, width], index) => others[index][0] === session && Math.abs(others[index][1] - width) <= 2);

const reload = {
  number: 9,
  name: "layout, drafts and scroll position survive a reload",
  async run({ page, server, open, expect }) {
    const [long] = await server.seed({ turns: 60, message: (index) => `Question ${index + 1}: ${"why is that so, and what follows from it? ".repeat(4)}` });
    const short = await server.session("Short");
    const [left, right] = await openBeside(page, open, [long, short]);
    const separator = page.getByRole("separator", { name: names.separator }).last();
    await separator.focus();
    for (let press = 0; press < 3; press += 1) await separator.press("ArrowRight");
    await wheel(page, left, -900);
    await composer(left).fill("a draft on the left");
    await composer(right).fill("右边的草稿\n第二行");
    const [before, top] = [await widths(page), await topRow(left)];

    await page.reload();
    await composer(pane(page, short)).waitFor();
    await expect.soon(async () => close(await widths(page), before), `the panes to be as they were: ${JSON.stringify(before)}`);
    expect.equal([await composer(left).inputValue(), await composer(right).inputValue()], ["a draft on the left", "右边的草稿\n第二行"], "the drafts are there");
    await expect.soon(async () => Math.abs((await rowOffset(left, top.key)) - top.offset) <= 4, "the same row to be at the top");
  },
};

const narrow = {
  number: 10,
  name: "under 700 px there is one pane and a switcher, nothing overflows sideways; rotating back restores the split",
  async run({ page, server, upstream, open, expect }) {
    upstream.on("wide", [{ text: `| ${"column | ".repeat(14)}\n|${" --- |".repeat(14)}\n| ${"some value | ".repeat(14)}\n\n\`\`\`\n${"wide ".repeat(80)}\n\`\`\`\n\n${"unbroken".repeat(40)}` }]);
    const [a, b] = [await server.session("First"), await server.session("Second")];
    await server.say(b, "something wide");
    await openBeside(page, open, [a, b]);
    const before = await widths(page);
    const visible = () => panes(page).filter({ visible: true });
    for (const width of [699, 390, 320]) {
      await page.setViewportSize({ width, height: 844 });
      await expect.soon(async () => (await visible().count()) === 1, `one pane at ${width} px`);
      expect(!(await overflowsSideways(page)), `nothing to overflow at ${width} px`);
      await isShown(composer(visible()));
    }
    expect.equal(await visible().getAttribute("data-session"), b, "the active pane is the one that is left");
    await page.getByRole("group", { name: names.switcher }).getByRole("button", { name: "First" }).click();
    await expect.soon(async () => (await visible().getAttribute("data-session")) === a, "the switcher to show the other pane");
    await page.setViewportSize({ width: 1280, height: 800 });
    await expect.soon(async () => close(await widths(page), before), `the split to come back: ${JSON.stringify(before)}`);
  },
};

const address = {
  number: 11,
  name: "/s/<id> opens that session; an unknown id gives a named empty state with a way back",
  expectErrors: /404/,
  async run({ page, server, open, expect }) {
    const session = await server.session("By address");
    await server.say(session, "find me here");
    await open(`/s/${session}`);
    await isShown(pane(page, session).getByText("You said: find me here"));
    await expect.soon(async () => (await page.title()).includes("By address"), "the tab to be titled after the session");
    await isShown(sessionRow(page, session));

    await open("/s/no-such-session-1");
    await isShown(page.getByText(names.unknownSession), "the page to say that there is no such session");
    await isShown(page.getByText("no-such-session-1"), "the page to name what it looked for");
    await button(page.locator('[data-empty="missing"]'), names.newSession).click();
    await isShown(composer(panes(page)));
    expect(!page.url().includes("no-such-session-1"), "the way back to lead away");
  },
};

export const story = [reload, narrow, address];

/** The first minutes with a new server. */
import { names } from "./names.mjs";
import { answers, button, composer, hasText, isGone, isShown, pane, panes, rows, searchField } from "./page.mjs";

export const server = { scripted: false };

export const story = {
  number: 31,
  name: "first run: one sentence, one focused input, the state of providers and a way to fix it; what is empty says what to do",
  async run({ page, open, expect }) {
    await open("/");
    const here = pane(page);
    await expect.soon(() => composer(here).evaluate((field) => field === document.activeElement), "the composer to have the focus");
    expect.equal([await panes(page).count(), await page.locator("textarea").count()], [1, 1], "there is one input");
    const welcome = here.locator('[data-empty="thread"]');
    await isShown(welcome, "a welcome to be there");
    await hasText(welcome, names.providerState);
    await button(welcome, names.connectModel).click();
    await isShown(page.getByRole("dialog").getByRole("textbox").first(), "the way to fix it to lead to the models");
    await page.keyboard.press("Escape");
    await isGone(page.getByRole("dialog"));

    await isShown(page.getByText(names.noSessions), "the empty list to say what to do");
    await composer(here).fill("hello, echo");
    await composer(here).press("Enter");
    await answers(here, "hello, echo");
    await isGone(page.getByText(names.noSessions));
    await expect.soon(async () => (await rows(here).count()) === 2, "the message and its answer to be there");

    await searchField(page).fill("zzzzqqqq");
    await hasText(page.locator('[data-empty="search"]'), names.nothingFound);
    await hasText(page.locator('[data-empty="search"]'), names.searchAdvice);
    await searchField(page).fill("");
    await button(page, names.newSession).click();
    await hasText(here.locator('[data-empty="thread"]'), /write a message/i);
  },
};

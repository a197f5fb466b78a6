/** Edit and regenerate make branches beside what there is; nothing is deleted by them. */
import { names } from "./names.mjs";
import { answer, answers, button, composer, ends, hasText, isGone, isShown, pane, rows, send } from "./page.mjs";

export const story = {
  number: 30,
  name: "edit and regenerate show ‹ 2/3 › at the fork, a mark “on a branch” and a way back; regenerate deletes nothing",
  async run({ page, server, upstream, open, expect }) {
    for (const text of ["first version", "second version", "third version"]) upstream.once("a title", [{ text }]);
    await open("/");
    const here = pane(page);
    await send(here, "hello");
    await answers(here, "You said: hello");
    await send(here, "find a title");
    await answers(here, "first version");
    await ends(here);
    const last = () => rows(here, "assistant").last();
    for (const text of ["second version", "third version"]) {
      await last().hover();
      await button(last(), names.regenerate).click();
      await answers(here, text);
      await ends(here);
    }
    const fork = here.locator("[data-versions]").last();
    await hasText(fork, "3/3");
    await button(fork, names.previousVersion).click();
    await answers(here, "second version");
    await hasText(fork, "2/3");
    await isShown(here.getByText(names.onBranch), "a mark to tell that this is a branch");
    await button(here, names.backToMain).click();
    await answers(here, "third version");
    await isGone(here.getByText(names.onBranch));

    const session = await here.getAttribute("data-session");
    const turns = (await server.api("GET", `/sessions/${session}/turns?limit=100`)).data;
    expect.equal(turns.length, 4, "every version is kept as a turn");

    const user = rows(here, "user").last();
    await user.hover();
    await button(user, names.edit).click();
    const field = page.locator("textarea:focus");
    await expect.soon(async () => (await field.inputValue()) === "find a title", "the message to come into the field");
    await field.fill("now find a subtitle");
    await field.press("Enter");
    await answers(here, "You said: now find a subtitle");
    await hasText(fork, "4/4");
    await button(fork, names.previousVersion).click();
    await answers(here, "third version");
    await isShown(here.getByText(names.onBranch));
    await button(here, names.backToMain).click();
    await answers(here, "You said: now find a subtitle");
    expect.equal(await composer(here).inputValue(), "", "the composer is free");
    expect.includes(await answer(here).textContent(), "subtitle", "the main line is the edited one");
  },
};

/** Sessions as things to keep: found, named, put away, taken back, taken along. */
import { readFile } from "node:fs/promises";
import { names } from "./names.mjs";
import { answers, button, composer, ends, hasText, isGone, isShown, pane, rows, searchField, sessionAction, sessionRow } from "./page.mjs";

export const story = {
  number: 37,
  name: "sessions are searched (Chinese too), renamed, pinned, archived, deleted with undo, exported; answers show model, tokens, time",
  // The feed may tell of a session once more while it is being deleted.
  expectErrors: /404/,
  async run({ page, server, upstream, open, expect }) {
    upstream.on("西湖", [{ text: "西湖边适合散步，**断桥**最有名。", chunk: 3, everyMs: 20 }]);
    const trip = await server.session("杭州旅行");
    await server.say(trip, "西湖有什么好玩的？");
    const rust = await server.session("Lifetimes in Rust");
    await server.say(rust, "why does the borrow checker complain?");
    const spare = await server.session("Spare");
    await server.say(spare, "nothing of note");

    await open(`/s/${trip}`);
    const here = pane(page, trip);
    await answers(here, "断桥");
    const row = rows(here, "assistant").last();
    await row.hover();
    await hasText(row, "scripted-1");
    await hasText(row, /\d+ tokens/i);
    await hasText(row, names.elapsed);

    const search = searchField(page);
    const hit = (session) => page.locator(`[data-search-results] [data-session-row="${session}"]`);
    for (const [query, found] of [["断桥", trip], ["borrow checker", rust], ["杭州", trip], ["Lifetimes", rust]]) {
      await search.fill(query);
      await isShown(hit(found), `“${query}” to find its session`);
    }
    await hit(rust).click();
    await answers(pane(page, rust), "You said: why does the borrow checker complain?");
    await search.fill("");

    await sessionAction(page, rust, names.rename);
    await page.locator("input:focus").fill("借用检查器");
    await page.keyboard.press("Enter");
    await hasText(sessionRow(page, rust), "借用检查器");
    await expect.soon(async () => (await server.look(rust)).title === "借用检查器", "the new title to be stored");

    const order = () => page.locator("[data-session-row]").evaluateAll((all) => all.map((one) => one.dataset.sessionRow));
    await sessionAction(page, trip, names.pin);
    await expect.soon(async () => (await order())[0] === trip, "the pinned session to go first");
    await sessionAction(page, trip, names.unpin);
    await expect.soon(async () => (await order())[0] !== trip, "the unpinned session to go back");

    await sessionAction(page, spare, names.archive);
    await isGone(sessionRow(page, spare));
    await expect.soon(async () => (await server.look(spare)).archived, "the session to be archived");
    await button(page, names.archived).click();
    await isShown(sessionRow(page, spare), "the archive to have it");
    await button(page, names.allSessions).click();

    await sessionAction(page, trip, names.delete);
    await isGone(sessionRow(page, trip));
    await isShown(page.getByText(names.wasDeleted), "a note to tell of it");
    await page.getByRole("button", { name: names.undo }).last().click();
    await isShown(sessionRow(page, trip), "undo to bring it back");
    expect.equal((await server.messages(trip)).length, 2, "its messages are back as well");

    for (const [name, part] of [[names.exportMarkdown, "**断桥**"], [names.exportJson, '"role"']]) {
      const download = page.waitForEvent("download");
      await sessionAction(page, trip, name);
      const file = await download;
      expect.includes(await readFile(await file.path(), "utf8"), part, `${file.suggestedFilename()} has the session in it`);
    }
    await open(`/s/${trip}`);
    await composer(here).waitFor();
    await ends(here);
  },
};

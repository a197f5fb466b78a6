/** The sidebar tells how sessions do, and opens them where they are wanted. */
import { names } from "./names.mjs";
import { activePane, answers, composer, menuItem, openBeside, pane, panes, sessionRow } from "./page.mjs";

const stateOf = (page, session) => sessionRow(page, session).getAttribute("data-state");

/** Whether the pane, or what lies over all of it, has a visible edge. */
const outlined = (pane) =>
  pane.evaluate((element) => {
    const { width, height } = element.getBoundingClientRect();
    const covering = [...element.children].filter((one) => Math.abs(one.clientWidth - width) < 5 && Math.abs(one.clientHeight - height) < 5);
    const looks = [element, ...covering].flatMap((one) => [undefined, "::before", "::after"].map((part) => getComputedStyle(one, part)));
    const edged = ({ borderTopWidth, outlineStyle, boxShadow }) => parseFloat(borderTopWidth) >= 1 || outlineStyle !== "none" || boxShadow !== "none";
    return looks.some((look) => look.display !== "none" && look.content !== "none" && edged(look));
  });

const states = {
  number: 7,
  name: "the sidebar shows running, unread, error and queued count without a reload; the tab title tells of background work",
  async run({ page, server, upstream, open, expect }) {
    const [home, busy, broken] = [await server.session("Home"), await server.session("Busy"), await server.session("Broken")];
    for (const session of [busy, broken]) await server.say(session, "hello");
    const gate = upstream.gate();
    upstream.on("work", [{ wait: gate }, { text: "worked" }]);
    upstream.on("fail", [{ status: 400, body: { error: { message: "no" } } }]);
    // What this browser has never shown cannot have news for it.
    for (const session of [busy, broken]) {
      await open(`/s/${session}`);
      await answers(pane(page, session), "You said: hello");
    }
    await open(`/s/${home}`);
    await page.evaluate(() => (window.sameDocument = true));
    const soonIs = (session, state) => expect.soon(async () => (await stateOf(page, session)) === state, `the row to be ${state}`);
    await soonIs(busy, "idle");
    const quietTitle = await page.title();

    await server.say(busy, "work", { wait: false });
    await server.say(busy, "later", { wait: false });
    await soonIs(busy, "running");
    await expect.soon(async () => (await sessionRow(page, busy).getAttribute("data-queued-count")) === "1", "the row to count one that waits");
    await expect.soon(async () => (await page.title()) !== quietTitle, "the tab title to tell that something runs");
    await server.api("POST", "/chat", { session_id: broken, message: "fail" }, { refused: true });
    await soonIs(broken, "error");

    gate.open();
    await soonIs(busy, "unread");
    await expect.soon(async () => (await page.title()) === quietTitle, "the tab title to be quiet again");
    await sessionRow(page, busy).click();
    await soonIs(busy, "idle");
    const made = await server.session("Made elsewhere");
    await server.say(made, "hello");
    await sessionRow(page, made).waitFor();
    expect(await page.evaluate(() => window.sameDocument), "no reload");
  },
};

const opening = {
  number: 8,
  name: "Ctrl-click, “open to the side” and a drag open beside; the active pane is outlined and takes sidebar clicks",
  async run({ page, server, open, expect }) {
    const sessions = [];
    for (const title of ["One", "Two", "Three", "Four", "Five"]) sessions.push(await server.session(title));
    const [one, two, three, four, five] = sessions;
    await openBeside(page, open, [one, two]);
    expect.equal(await activePane(page).getAttribute("data-session"), two, "what was opened is active");

    await sessionRow(page, three).hover();
    await sessionRow(page, three).getByRole("button", { name: names.more }).click();
    await menuItem(page, names.openBeside).click();
    await composer(pane(page, three)).waitFor();

    const box = await pane(page, one).boundingBox();
    await sessionRow(page, four).dragTo(pane(page, one), { targetPosition: { x: box.width / 2, y: box.height - 12 } });
    await composer(pane(page, four)).waitFor();
    const [above, below] = [await pane(page, one).boundingBox(), await pane(page, four).boundingBox()];
    expect(Math.abs(above.x - below.x) < 2 && below.y >= above.y + above.height - 2, "the dragged session to be under the pane whose lower edge it was dropped on");
    expect.equal(await panes(page).count(), 4, "four panes are open");

    await composer(pane(page, one)).click();
    await expect.soon(async () => (await activePane(page).getAttribute("data-session")) === one, "a click to activate its pane");
    expect.equal(await activePane(page).count(), 1, "one pane is active");
    expect.equal([await outlined(pane(page, one)), await outlined(pane(page, two))], [true, false], "the active pane alone is outlined");

    await sessionRow(page, five).click();
    await composer(pane(page, five)).waitFor();
    const shown = await panes(page).evaluateAll((all) => all.map((element) => element.dataset.session));
    expect.equal(shown.toSorted(), [two, three, four, five].toSorted(), "the click replaced the session of the active pane only");
  },
};

export const story = [states, opening];

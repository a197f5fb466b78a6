/** When the server or a model fails: nothing is lost, and every error offers a next step. */
import { names } from "./names.mjs";
import { answers, banner, button, composer, ends, hasText, isGone, isShown, lastStatus, openBeside, pane, rows, send } from "./page.mjs";

// A kill takes nothing back that was shown.
export const server = { options: { durability: "strict" } };

const unreachable = /ERR_|Failed to load resource|network/i;

const gone = {
  number: 32,
  name: "server gone: a banner within 3 s, the composer types, sends wait as “not sent yet”; on its return no duplicates, no gaps",
  expectErrors: unreachable,
  async run({ page, context, server, upstream, open, report, expect }) {
    const session = await server.session("Outage");
    await open(`/s/${session}`);
    const here = pane(page, session);
    await send(here, "before");
    await answers(here, "You said: before");
    await server.kill();
    const start = Date.now();
    await banner(page).waitFor();
    report("banner", Date.now() - start, "ms", 3000);

    await composer(here).pressSequentially("during one");
    expect.equal(await composer(here).inputValue(), "during one", "the composer takes text");
    await composer(here).press("Enter");
    await send(here, "during two");
    for (const text of ["during one", "during two"]) {
      const row = rows(here, "user").filter({ hasText: text });
      await hasText(row, names.notSent);
      expect.equal(await row.getAttribute("data-status"), "sending", "the row says that it waits");
    }
    await page.reload().catch(() => {});
    await expect.soon(() => page.url().startsWith("chrome-error:"), "the browser's own error page to be there");
    await server.start();
    await open(`/s/${session}`);
    await answers(here, "You said: during two", 20_000);
    await ends(here);
    await isGone(banner(page));
    expect.equal(upstream.requests.map((request) => request.lastUser), ["before", "during one", "during two"], "each is sent once, in order");
    const told = (await server.messages(session)).map(({ content }) => content);
    expect.equal(told, ["before", "during one", "during two"].flatMap((text) => [text, `You said: ${text}`]), "no gaps and no duplicates on the server");
    await expect.soon(async () => (await rows(here).count()) === 6, "no gaps and no duplicates on the page");

    await context.setOffline(true);
    await banner(page).waitFor();
    await send(here, "offline");
    await hasText(rows(here, "user").last(), names.notSent);
    await context.setOffline(false);
    await answers(here, "You said: offline");
    await isGone(banner(page));
    expect.equal(upstream.asked("offline").length, 1, "it is sent once when the network is back");
  },
};

const failures = {
  number: 33,
  name: "a provider error is a card with cause, status, request id and Retry; a restart leaves “interrupted — continue?”",
  expectErrors: unreachable,
  async run({ page, server, upstream, open, expect }) {
    upstream.once("broken", [{ status: 401, body: { error: { message: "Incorrect API key provided" } }, headers: { "x-request-id": "req_story_42" } }]);
    upstream.on("steady", [{ tokens: 120, rate: 40 }]);
    const [a, b] = await openBeside(page, open, [await server.session("Broken"), await server.session("Steady")]);
    await send(b, "steady");
    await answers(b, "t3 ");
    await send(a, "broken");
    await ends(a, "failed");
    const card = rows(a, "assistant").last();
    // What can be seen, without unfolding anything.
    const seen = await card.innerText();
    for (const part of [/key/i, "401", "req_story_42", /kept/i]) expect(seen.search(part) >= 0, `the card to show ${part}`);
    expect.equal(await lastStatus(b), "streaming", "the other pane streams on");
    await button(card, names.retry).click();
    await answers(a, "You said: broken");
    await ends(b);

    upstream.on("long", [{ text: "The first half. " }, { hang: true }]);
    await send(a, "long");
    await answers(a, "The first half.");
    await server.kill();
    await server.start();
    await ends(a, "incomplete", 20_000);
    const row = rows(a, "assistant").last();
    await hasText(row, names.interrupted);
    await hasText(row, "The first half.");
    expect.equal(await a.locator('[data-status="streaming"], [data-status="waiting"]').count(), 0, "nothing spins for ever");
    upstream.reset();
    await isShown(button(row, names.continue));
    await button(row, names.continue).click();
    await ends(a);
    expect.equal(upstream.requests.length, 1, "the model is asked to go on");
  },
};

export const story = [gone, failures];

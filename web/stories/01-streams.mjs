/** Answers that stream: side by side, without anybody watching, and in several places at once. */
import { whenEvent, whenSeen } from "./measure.mjs";
import { names } from "./names.mjs";
import { answer, answers, answerText, button, composer, ends, isShown, openBeside, pane, panes, rows, send, sessionRow } from "./page.mjs";

const tokens = (word, count) => Array.from({ length: count }, (_, index) => `${word}${index}`).join(" ");

const sideBySide = {
  number: 1,
  name: "two panes on different sessions stream at once, and neither has a token of the other",
  async run({ page, server, upstream, open, expect }) {
    upstream.on("left", [{ tokens: 160, rate: 40, token: (index) => `alpha${index} ` }]);
    upstream.on("right", [{ tokens: 160, rate: 40, token: (index) => `beta${index} ` }]);
    const [left, right] = await openBeside(page, open, [await server.session("Left"), await server.session("Right")]);
    await send(left, "go left");
    await send(right, "go right");
    await answers(left, "alpha3");
    await answers(right, "beta3");

    const first = [await answerText(left), await answerText(right)];
    await page.waitForTimeout(300);
    const second = [await answerText(left), await answerText(right)];
    for (const [side, text] of first.entries()) {
      expect(second[side].length > text.length && second[side].startsWith(text.trimEnd()), `${JSON.stringify(text)} to grow at its end within 300 ms`);
    }

    await Promise.all([ends(left), ends(right)]);
    expect.equal((await answerText(left)).trim(), tokens("alpha", 160), "the left answer is whole and nothing else");
    expect.equal((await answerText(right)).trim(), tokens("beta", 160), "the right answer is whole and nothing else");
  },
};

const unwatched = {
  number: 5,
  name: "closing a pane or the browser stops no turn; reopening shows the text so far within 1 s and goes on",
  async run({ page, server, upstream, open, visit, report, expect }) {
    const [closed, left] = [await server.session("Closed"), await server.session("Left open")];
    const gate = upstream.gate();
    upstream.on("long story", [{ text: "Once upon a time " }, { wait: gate }, { text: "there was an end." }]);
    const [first] = await openBeside(page, open, [closed, left]);
    await send(first, "Tell me a long story.");
    await answers(first, "Once upon a time");

    await button(first, names.closePane).click();
    await expect.soon(async () => (await panes(page).count()) === 1, "the pane to close");
    await sessionRow(page, closed).click();
    await answers(pane(page, closed), "Once upon a time");
    await page.context().close();
    expect.equal(upstream.asked("long story").map((request) => request.ended), [null], "the upstream call goes on when the browser is gone");

    const later = await visit();
    const start = Date.now();
    await open(`/s/${closed}`, later);
    await answers(pane(later, closed), "Once upon a time");
    report("reopened", Date.now() - start, "ms", 1000);
    gate.open();
    await answers(pane(later, closed), "Once upon a time there was an end.");
    await ends(pane(later, closed));
    expect.equal(upstream.asked("long story").length, 1, "one call is made for it");
  },
};

const everywhere = {
  number: 6,
  name: "one session in two panes and two tabs: live in all, equal at the end; a send shows elsewhere within 300 ms",
  async run({ page, context, server, upstream, open, report, expect }) {
    const session = await server.session("Shared");
    const gate = upstream.gate();
    upstream.on("share", [{ text: "**Half** of it, " }, { wait: gate }, { text: "and the `rest`." }]);
    await open(`/s/${session}`);
    await composer(pane(page, session)).waitFor();
    const tab = await open(`/s/${session}`, await context.newPage());
    await sessionRow(page, session).click({ modifiers: ["ControlOrMeta"] });
    await expect.soon(async () => (await pane(page, session).count()) === 2, "the session to open a second time");
    const places = [pane(page, session).nth(0), pane(page, session).nth(1), pane(tab, session).first()];
    await composer(places[2]).waitFor();

    await composer(places[0]).fill("share this");
    const pressed = await whenEvent(page, "keydown");
    const seen = (text) => [...document.querySelectorAll('[data-row][data-role="user"]')].some((row) => row.textContent.includes(text));
    const shown = await whenSeen(tab, seen, "share this");
    await composer(places[0]).press("Enter");
    report("shown in the other tab", (await shown()) - (await pressed()), "ms", 300);
    for (const place of places) await answers(place, "Half of it");
    expect.equal(upstream.asked("share this").length, 1, "it is sent once");

    gate.open();
    for (const place of places) await ends(place);
    const texts = await Promise.all(places.map((place) => answer(place).innerHTML()));
    expect.equal(texts[1], texts[0], "both panes show the same");
    expect.equal(texts[2], texts[0], "both tabs show the same");
    for (const place of places) expect.equal(await rows(place, "user").count(), 1, "the message is there once");
    await isShown(answer(places[1]));
  },
};

export const story = [sideBySide, unwatched, everywhere];

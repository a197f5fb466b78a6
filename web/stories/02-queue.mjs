/** What is sent while an answer runs waits, can be changed, and is neither lost nor sent twice. */
import { names } from "./names.mjs";
import { answers, answerText, button, composer, ends, hasText, isGone, isShown, openBeside, pane, queue, rows, send } from "./page.mjs";

const userTexts = async (server, session) => (await server.messages(session)).filter(({ role }) => role === "user").map(({ content }) => content);
const queueTexts = (pane) => queue(pane).allTextContents();
const queued = (pane, text) => queue(pane).filter({ hasText: text });

const whileRunning = {
  number: 2,
  name: "while A runs its composer takes text, and Enter shows it as queued #n; B is unaffected",
  async run({ page, server, upstream, open, expect }) {
    const gate = upstream.gate();
    upstream.on("slow", [{ text: "Thinking … " }, { wait: gate }, { text: "done." }]);
    upstream.on("steady", [{ tokens: 40, rate: 40 }]);
    const [a, b] = await openBeside(page, open, [await server.session("A"), await server.session("B")]);
    await send(a, "slow one");
    await answers(a, "Thinking");
    await composer(b).fill("steady");
    await send(a, "then this");
    await send(a, "and that");
    await hasText(queued(a, "then this"), names.queuedAt(1));
    await hasText(queued(a, "and that"), names.queuedAt(2));
    expect.equal(await composer(a).inputValue(), "", "the composer is free again");
    expect.equal(await queue(b).count(), 0, "nothing waits in B");
    expect.equal(await composer(b).inputValue(), "steady", "the draft of B stays");

    await composer(b).press("Enter");
    await ends(b);
    expect.equal(await queue(a).count(), 2, "A still waits when B is done");
    gate.open();
    await answers(a, "You said: and that");
    await isGone(queue(a));
    expect.equal(upstream.requests.map((request) => request.lastUser), ["slow one", "steady", "then this", "and that"], "each is sent once, in order");
  },
};

const changed = {
  number: 3,
  name: "queued items are edited, removed and sent now; they survive a reload and show in a second browser",
  async run({ page, server, upstream, open, visit, expect }) {
    const session = await server.session("Queue");
    upstream.on("hold on", [{ text: "Holding." }, { hang: true }]);
    await open(`/s/${session}`);
    const here = pane(page, session);
    await send(here, "hold on");
    await answers(here, "Holding.");
    for (const text of ["apples", "pears", "plums"]) {
      await send(here, text);
      await isShown(queued(here, text));
    }

    await queued(here, "apples").hover();
    await button(queued(here, "apples"), names.edit).click();
    await here.locator("[data-queued] textarea").fill("red apples");
    await button(queue(here).first(), names.save).click();
    await isShown(queued(here, "red apples"));
    await queued(here, "pears").hover();
    await button(queued(here, "pears"), names.remove).click();
    await isGone(queued(here, "pears"));

    const elsewhere = await visit();
    await open(`/s/${session}`, elsewhere);
    await page.reload();
    for (const place of [here, pane(elsewhere, session)]) {
      await isShown(queued(place, "plums"));
      const texts = await queueTexts(place);
      expect(texts.length === 2 && texts[0].includes("red apples") && texts[1].includes("plums"), `red apples and plums to wait, not ${texts}`);
    }

    await queued(here, "plums").hover();
    await button(queued(here, "plums"), names.sendNow).click();
    await answers(here, "You said: red apples");
    await ends(pane(elsewhere, session));
    await isGone(queue(pane(elsewhere, session)));
    expect.equal(upstream.requests.map((request) => request.lastUser), ["hold on", "plums", "red apples"], "sent now goes first, removed never");
    expect.equal(await userTexts(server, session), ["hold on", "plums", "red apples"], "the session has what was sent");
  },
};

const paused = {
  number: 4,
  name: "after a failed or stopped turn the queue pauses with “continue queue (n)”; nothing is dropped or sent twice",
  async run({ page, server, upstream, open, expect }) {
    const gate = upstream.gate();
    upstream.on("breaks", [{ text: "So far " }, { wait: gate }, { cut: true }]);
    upstream.on("endless", [{ text: "On and on " }, { hang: true }]);
    await open("/");
    const here = pane(page);
    await send(here, "this breaks");
    await answers(here, "So far");
    await send(here, "next one");
    await send(here, "next two");
    await expect.soon(async () => (await queue(here).count()) === 2, "two to wait");
    gate.open();
    await ends(here, "failed");
    const resume = button(here, names.continueQueue);
    await hasText(resume, "2");
    expect.equal(upstream.asked("next").length, 0, "nothing is sent while the queue is paused");
    await resume.click();
    await answers(here, "You said: next two");

    await send(here, "endless one");
    await answers(here, "On and on");
    await send(here, "next three");
    await isShown(queued(here, "next three"));
    await button(here, names.stop).click();
    await ends(here, "cancelled");
    await hasText(resume, "1");
    expect.equal(upstream.asked("next three").length, 0, "a stop pauses the queue as well");
    await resume.click();
    await answers(here, "You said: next three");
    await isGone(queue(here));

    const told = ["this breaks", "next one", "next two", "endless one", "next three"];
    expect.equal(upstream.requests.map((request) => request.lastUser), told, "each is sent once, in order");
    await expect.soon(async () => (await rows(here, "user").count()) === told.length, "all messages to be shown once");
    expect.includes(await answerText(here), "next three", "the last answer is the last message's");
  },
};

export const story = [whileRunning, changed, paused];

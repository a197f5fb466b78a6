/** Responses that continue one response run at the same time: what is read stays where it is, and the others are a step away. */
import { announcements } from "./measure.mjs";
import { names } from "./names.mjs";
import { answer, answers, answerText, button, ends, hasText, isGone, isShown, lastStatus, pane, rows } from "./page.mjs";

export const story = {
  number: 39,
  name: "of turns that run at once the one that is watched stays; the others are versions, live from their start",
  async run({ page, server, upstream, open, expect }) {
    const respond = (input, rest = {}) => server.api("POST", "/v1/responses", { model: "scripted", input, ...rest });
    const [left, right, third] = [upstream.gate(), upstream.gate(), upstream.gate()];
    upstream.on("left", [{ text: "The left way " }, { wait: left }, { text: "leads home." }]);
    upstream.on("right", [{ text: "The right way " }, { wait: right }, { text: "leads on." }]);
    upstream.on("third", [{ tokens: 40, rate: 80, token: (index) => `third${index} ` }, { wait: third }, { text: "leads down." }]);
    const root = await respond("root");
    const session = root.conversation.id.replace("conv_", "");
    const beside = { previous_response_id: root.id, background: true };
    await open(`/s/${session}`);
    const here = pane(page, session);
    await answers(here, "You said: root");
    const heard = await announcements(page);

    await respond("left", beside);
    await answers(here, "The left way");
    await respond("right", beside);
    await respond("third", beside);
    const versions = here.locator("[data-versions]");
    await hasText(versions, "1/3");
    await isShown(here.getByText(names.onBranch), "a mark that the session's main path is another one now");
    await third.reached;
    expect.equal([await answerText(here), await lastStatus(here), await rows(here).count()], ["The left way", "streaming", 4], "the answer that was watched is still the one that is shown");
    expect(!(await here.textContent()).includes("third"), "nothing of the others to be among it");

    await button(versions, names.nextVersion).click();
    await answers(here, "The right way");
    expect.equal(await lastStatus(here), "streaming", "the other one is shown while it runs");
    right.open();
    await answers(here, "The right way leads on.");
    await ends(here);
    await button(versions, names.previousVersion).click();
    await answers(here, "The left way");
    left.open();
    await answers(here, "The left way leads home.");
    await ends(here);
    await expect.soon(async () => (await heard()).filter((text) => names.answered.test(text)).length === 2, "the ends that were seen to be announced");

    await button(here, names.backToMain).click();
    await answers(here, "third39");
    await isGone(here.getByText(names.onBranch));
    third.open();
    await answers(here, "leads down.");
    await ends(here);
    await hasText(versions, "3/3");
    await isGone(here.getByText(names.onBranch), "the last one to be the main path");
    await page.reload();
    await answers(here, "leads down.");
    expect.equal(await answer(here).textContent(), `${Array.from({ length: 40 }, (_, index) => `third${index} `).join("")}leads down.`, "nothing is missing and nothing is there twice");
  },
};

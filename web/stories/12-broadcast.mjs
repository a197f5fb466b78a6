/** One question to several models, side by side. */
import { names } from "./names.mjs";
import { activePane, answers, answerText, button, ends, isShown, openBeside, rows, send } from "./page.mjs";

export const story = {
  number: 12,
  name: "a broadcast goes to all open panes, each with its own config, and the answers stand side by side",
  context: { viewport: { width: 1600, height: 900 } },
  async run({ page, server, upstream, open, expect }) {
    const models = ["small-1", "medium-2", "large-3"];
    upstream.on("capital", (request) => [{ text: `The answer of ${request.body.model}` }]);
    const sessions = [];
    for (const model of models) {
      await server.config(upstream, { id: model, name: model, model });
      sessions.push(await server.session(`On ${model}`, { config_id: model }));
    }
    const places = await openBeside(page, open, sessions);
    await button(activePane(page), names.broadcast).click();
    await isShown(activePane(page).locator("[data-broadcast]"), "the composer to say whom it writes to");
    await send(activePane(page), "What is the capital of Peru?");
    for (const [index, place] of places.entries()) {
      await answers(place, `The answer of ${models[index]}`);
      await ends(place);
      await expect.soon(async () => (await rows(place, "user").count()) === 1, "each pane to have the message once");
    }
    expect.equal(upstream.requests.map((request) => request.body.model).toSorted(), models.toSorted(), "each model is asked once");
    const boxes = await Promise.all(places.map((place) => place.boundingBox()));
    expect(boxes.every((box, index) => index === 0 || box.x >= boxes[index - 1].x + boxes[index - 1].width - 2), "the panes to stand side by side");
    expect((await answerText(places[0])) !== (await answerText(places[1])), "the answers to differ");
  },
};

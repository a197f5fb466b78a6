/** What clients of other APIs put into a session: items of every kind, in one turn or without a question. */
import { expect } from "./expect.mjs";
import { announcements, axe } from "./measure.mjs";
import { names } from "./names.mjs";
import { answers, button, composer, ends, hasText, isGone, isShown, jump, overflowsSideways, pane, queue, rows, searchField, send, thread } from "./page.mjs";

const tools = [{ type: "function", name: "lookup_weather", parameters: { type: "object", properties: { city: { type: "string" } } } }];
const message = (role, content) => ({ type: "message", role, content });

/** A conversation by its client: what it asks, and what it puts in. */
async function conversation(server) {
  const { id } = await server.api("POST", "/v1/conversations", {});
  return {
    id,
    session: id.replace("conv_", ""),
    respond: (input, rest = {}) => server.api("POST", "/v1/responses", { model: "scripted", conversation: id, input, ...rest }),
    put: (...items) => server.api("POST", `/v1/conversations/${id}/items`, { items }),
  };
}

/** The rows from the top, as a reader sees them: who, and the words that show. */
const seen = (pane) =>
  rows(pane).evaluateAll((all) => all.map((row) => `${row.dataset.role}: ${row.innerText.replace(/\s+/g, " ").replace(/\d\d:\d\d( [AP]M)?/, "").trim()}`));
/** Waits until the rows begin with these words, each with its own. */
const shows = (pane, wanted, claim) =>
  expect.soon(async () => {
    const now = await seen(pane);
    if (now.length === wanted.length && wanted.every((text, index) => now[index].startsWith(text))) return true;
    throw new Error(JSON.stringify(now));
  }, claim);

const putIn = {
  number: 38,
  name: "what other clients put into a session is shown as what it is: answers without a state, folded system messages, results with their calls",
  async run({ page, server, upstream, open }) {
    const { session, put, respond } = await conversation(server);
    await open(`/s/${session}`);
    const here = pane(page, session);
    await composer(here).waitFor();
    const heard = await announcements(page);

    await put(message("system", "Answer in one sentence."), message("user", "What did the lighthouse say?"), message("assistant", "It said **keep clear**."));
    await shows(here, ["system: System message", "user: What did the lighthouse say?", "assistant: It said keep clear."], "what was put in to show without a reload");
    expect.equal(await rows(here, "assistant").last().locator("strong").textContent(), "keep clear", "a put-in answer is set like any other");
    expect.equal(await here.locator("[data-pending], [data-ending], [data-failure], [data-figures], [data-versions], [data-stop]").count(), 0, "nothing waits, and nothing has a state");
    const last = rows(here, "assistant").last();
    await last.hover();
    expect.equal(await last.getByRole("button").evaluateAll((all) => all.map((one) => one.getAttribute("aria-label"))), ["Copy answer", "Go on from here in a new session"], "it can be copied and gone on from, not asked for again");
    await isGone(here.getByText("Answer in one sentence."), "the system message to be folded");
    await here.getByText(names.systemMessage).first().click();
    await isShown(here.getByText("Answer in one sentence."));
    expect.equal((await heard()).filter((text) => names.answered.test(text)), [], "the end of no answer is announced");

    upstream.on("And today?", [{ text: "Fog, so **listen**." }]);
    const items = [
      message("developer", "Use the tool."),
      message("user", "How is the weather?"),
      { type: "function_call", call_id: "call_w", name: "lookup_weather", arguments: '{"city":"Brest"}' },
      { type: "function_call_output", call_id: "call_w", output: "fog, 9 degrees" },
      message("assistant", "There was fog."),
      message("user", "And today?"),
    ];
    await respond(items, { tools });
    const after = ["system: System message", "user: How is the weather?", "assistant: lookup_weather · Done", "assistant: There was fog.", "user: And today?", "assistant: Fog, so listen."];
    await shows(here, ["system", "user", "assistant", ...after], "a turn of many messages to show in its order");
    await ends(here);
    await button(rows(here, "assistant").filter({ hasText: "lookup_weather" }), names.toolCall).click();
    await isShown(here.getByText("fog, 9 degrees"), "the result to be folded into its call");
    for (const text of ["How is the weather?", "And today?"]) {
      const row = rows(here, "user").filter({ hasText: text });
      await row.hover();
      expect.equal(await row.getByRole("button", { name: names.edit }).count(), 0, "one message of several cannot be sent again alone");
    }
    await expect.soon(async () => (await heard()).filter((text) => names.answered.test(text)).length === 1, "the answer's end to be announced once");

    upstream.once("Round trip", [{ toolCall: { name: "lookup_weather", arguments: { city: "Kiel" } } }]);
    await respond("Round trip", { tools });
    await isShown(here.getByText(names.waitsForTools));
    upstream.on("Round trip", [{ text: "Kiel is sunny." }]);
    await respond([{ type: "function_call_output", call_id: "call_0", output: "sun, 20 degrees" }], { tools });
    await answers(here, "Kiel is sunny.");
    await isGone(here.getByText(names.waitsForTools));
    const all = ["system", "user", "assistant", ...after, "user: Round trip", "assistant: lookup_weather · Done", "assistant: Kiel is sunny."];
    await shows(here, all, "the round trip to be two answers, and no row for the result");
    await page.reload();
    await shows(here, all, "the same to be there after a reload");
    expect.equal(await axe(page), [], "axe finds nothing serious");

    await put(message("assistant", "Put in at the end."));
    await shows(here, [...all, "assistant: Put in at the end."], "what is put in later to stand at the end");
    await send(here, "go on");
    await answers(here, "You said: go on");
    expect.equal(upstream.asked("go on")[0].body.messages.filter(({ role }) => role === "assistant").at(-1).content, "Kiel is sunny.\n\nPut in at the end.", "the model was told what was put in");
  },
};

const regenerated = {
  number: 38,
  name: "a turn of many messages is answered again with all of them; a message that a client put in is found where it stands",
  async run({ page, server, upstream, open }) {
    const { session, put, respond } = await conversation(server);
    await put(message("user", "Remember the heliotrope."), message("assistant", "The heliotrope is remembered."));
    for (const text of ["first version", "second version"]) upstream.once("Now what?", [{ text }]);
    await respond([message("system", "Short."), message("user", "Earlier."), message("assistant", "Well."), message("user", "Now what?")]);
    await open(`/s/${session}`);
    const here = pane(page, session);
    await answers(here, "first version");
    await rows(here, "assistant").last().hover();
    await button(rows(here, "assistant").last(), names.regenerate).click();
    await answers(here, "second version");
    await ends(here);
    expect.equal(upstream.asked("Now what?").map(({ body }) => body.messages.map(({ content }) => content)).map((all, index, both) => all.join() === both[0].join()), [true, true], "the model was asked the same");
    const versions = here.locator("[data-versions]");
    await hasText(versions, "2/2");
    expect.equal(await versions.count(), 1, "the versions stand once");
    await button(versions, names.previousVersion).click();
    await answers(here, "first version");
    await button(here, names.backToMain).click();
    await answers(here, "second version");

    const filler = Array.from({ length: 20 }, (_, index) => message(index % 2 ? "assistant" : "user", `Filler ${index} ${"words ".repeat(60)}`));
    for (let times = 0; times < 4; times += 1) await put(...filler);
    await page.reload();
    await jump(here).click();
    await hasText(thread(here), "Filler 19");
    await isGone(here.getByText("The heliotrope is remembered."));
    await expect.soon(async () => (await server.api("GET", "/search?q=heliotrope")).data.filter(({ kind }) => kind === "message").length === 2, "the search to know what was put in");
    await searchField(page).fill("heliotrope remembered");
    await page.locator("[data-result=message]").first().click();
    const found = here.getByText("The heliotrope is remembered.");
    await expect.soon(async () => {
      const [box, view] = [await found.boundingBox(), await thread(here).boundingBox()];
      return box.y >= view.y && box.y < view.y + view.height;
    }, "the message that was found to be in view");
  },
};

const narrow = {
  number: 38,
  name: "on a narrow dark screen nothing of it overflows",
  context: { viewport: { width: 390, height: 844 }, colorScheme: "dark", locale: "zh-CN" },
  async run({ page, server, upstream, open }) {
    const { session, put, respond } = await conversation(server);
    await put(message("system", `很长的说明${"无空格".repeat(80)}`), message("user", "之前的问题"), message("assistant", `之前的回答 ${"x".repeat(300)}`));
    upstream.on("现在呢？", [{ text: "现在是这样。" }]);
    await respond([
      { type: "function_call", call_id: "call_w", name: `lookup_${"weather_".repeat(12)}`, arguments: "{}" },
      { type: "function_call_output", call_id: "call_w", output: "晴" },
      message("user", "现在呢？"),
    ]);
    await open(`/s/${session}`);
    const here = pane(page, session);
    await answers(here, "现在是这样。");
    await here.getByText("系统消息").click();
    await isShown(here.getByText("很长的说明"));
    expect(!(await overflowsSideways(page)), "the page not to scroll sideways");
    expect(await thread(here).evaluate((box) => box.scrollWidth <= box.clientWidth + 1), "the thread not to scroll sideways");
    expect.equal(await axe(page), [], "axe finds nothing serious");
  },
};

const goes = {
  number: 38,
  name: "what waits shows its user's words; what another client deletes goes from every page at once, and the rest stays",
  async run({ page, server, upstream, open, visit }) {
    const { session, id, put, respond } = await conversation(server);
    await put(message("system", "Be brief."), message("user", "The wrong thing."), message("assistant", "About the wrong thing."));
    const gate = upstream.gate();
    upstream.on("slow", [{ text: "Slowly, " }, { wait: gate }, { text: "but here." }]);
    await respond("slow", { background: true });
    await respond([message("developer", "Not to be seen."), message("user", "Waiting words")], { background: true });
    await open(`/s/${session}`);
    const here = pane(page, session);
    await answers(here, "Slowly,");
    await hasText(queue(here).first(), "Waiting words");
    const there = pane(await open(`/s/${session}`, await visit()), session);

    const items = async () => (await server.api("GET", `/v1/conversations/${id}/items?limit=100&order=asc`)).data;
    const remove = async (text) => {
      const item = (await items()).find((one) => JSON.stringify(one.content ?? "").includes(text));
      await server.api("DELETE", `/v1/conversations/${id}/items/${item.id}`);
    };
    await remove("The wrong thing.");
    for (const place of [here, there]) await shows(place, ["system: System message", "assistant: About the wrong thing.", "user: slow", "assistant: Slowly,"], "the message that was deleted to go while an answer is given");
    gate.open();
    await shows(here, ["system", "assistant", "user: slow", "assistant: Slowly, but here.", "system: System message", "user: Waiting words", "assistant: You said: Waiting words"], "everything else to go on");
    await ends(here);
    await remove("Slowly, but here.");
    for (const place of [here, there]) await isGone(place.getByText("Slowly, but here."), "the answer that was deleted to go");
    await isShown(rows(here, "assistant").nth(1).getByText(names.nothingSaid), "its place to say why it is empty");
    await remove("Be brief.");
    await remove("About the wrong thing.");
    const left = ["user: slow", "assistant: Nothing was said", "system", "user: Waiting words", "assistant: You said"];
    for (const place of [here, there]) await shows(place, left, "a turn of which nothing is left to go");
    await page.reload();
    await shows(here, left, "the same to be there after a reload");
  },
};

export const story = [putIn, regenerated, narrow, goes];

// Drives a running server with the official client for Node, as its users do. The base URL is the argument.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "none", maxRetries: 0 });
const LOOK = { type: "function", name: "look", parameters: { type: "object", properties: {} }, strict: false };
const texts = (items) => items.map((item) => item.content[0].text);
const shape = (events) => events.map((event) => [event.type, event.sequence_number]);

async function all(iterable) {
  const found = [];
  for await (const one of iterable) found.push(one);
  return found;
}

async function models() {
  const names = (await all(client.models.list())).map((model) => model.id);
  assert(names.includes("up"), names.join());
  assert.equal((await client.models.retrieve("up/other")).id, "up/other");
}

async function createAndContinue() {
  const first = await client.responses.create({ model: "up", input: "one", instructions: "be brief", metadata: { k: "v" } });
  assert.deepEqual([first.status, first.output_text], ["completed", "answer to one"]);
  assert.deepEqual([first.instructions, first.metadata], ["be brief", { k: "v" }]);
  const second = await client.responses.create({ model: "up", input: "two", previous_response_id: first.id });
  assert.deepEqual([second.output_text, second.previous_response_id], ["answer to two", first.id]);
  assert.equal((await client.responses.retrieve(second.id)).output_text, second.output_text);
}

async function inputItemsPageByPage() {
  const said = Array.from({ length: 25 }, (_, n) => `line ${n}`);
  const input = said.map((content) => ({ role: "user", content }));
  const response = await client.responses.create({ model: "up", input });
  const newestFirst = await all(client.responses.inputItems.list(response.id));
  assert.deepEqual(texts(newestFirst), said.toReversed());
  const oldestFirst = await all(client.responses.inputItems.list(response.id, { limit: 4, order: "asc" }));
  assert.deepEqual(oldestFirst, newestFirst.toReversed());
}

async function streamAndResume() {
  const events = await all(await client.responses.create({ model: "up", input: "three words here", stream: true }));
  assert.deepEqual(events.map((event) => event.sequence_number), [...events.keys()]);
  const { response } = events.at(-1);
  const whole = events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta).join("");
  assert.equal(whole, "answer to three words here");
  for (let cut = 0; cut < events.length - 1; cut++) {
    const rest = await all(await client.responses.retrieve(response.id, { stream: true, starting_after: cut }));
    assert.deepEqual(rest, events.slice(cut + 1), `cut after ${cut}`);
  }
}

async function streamHelper() {
  const stream = client.responses.stream({ model: "up", input: "think" });
  const thoughts = [];
  stream.on("response.reasoning_text.delta", (event) => thoughts.push(event.delta));
  let snapshot = "";
  stream.on("response.output_text.delta", (event) => (snapshot = event.snapshot));
  const events = await all(stream);
  const final = await stream.finalResponse();
  assert.deepEqual([final.status, final.output_text, snapshot], ["completed", "well thought", "well thought"]);
  assert.equal(thoughts.join(""), "let me think");

  const again = client.responses.stream({ response_id: final.id, starting_after: 4 });
  assert.deepEqual(shape(await all(again)), shape(events.slice(5)));
  assert.equal((await again.finalResponse()).output_text, "well thought");
}

async function refusal() {
  const stream = client.responses.stream({ model: "up", input: "refuse" });
  const said = (await all(stream)).filter((event) => event.type === "response.refusal.delta").map((event) => event.delta);
  const { output } = await stream.finalResponse();
  assert.deepEqual([said.join(""), output[0].content[0].refusal], ["I will not", "I will not"]);
}

async function backgroundAndCancel() {
  const { id: conversation } = await client.conversations.create();
  const ask = (input) => client.responses.create({ model: "up", conversation, input, background: true });
  const slow = await ask("slowly");
  let waiting = await ask("four");
  assert.equal(waiting.status, "queued");
  assert.equal((await client.responses.cancel(slow.id)).status, "cancelled");
  const patience = Date.now() + 20_000;
  while (["queued", "in_progress"].includes(waiting.status)) {
    assert(Date.now() < patience, "waited in vain for the response behind the cancelled one");
    await pause(20);
    waiting = await client.responses.retrieve(waiting.id);
  }
  assert.equal(waiting.output_text, "answer to four");
}

async function leaveAndComeBack() {
  const seen = [];
  for await (const event of await client.responses.create({ model: "up", input: "slowly", background: true, stream: true })) {
    seen.push(event);
    if (event.type === "response.output_text.delta") break; // Which closes the connection.
  }
  const { id } = seen[0].response;
  const rest = [];
  for await (const event of await client.responses.retrieve(id, { stream: true, starting_after: 1 })) {
    rest.push(event);
    if (event.sequence_number === seen.at(-1).sequence_number) await client.responses.cancel(id);
  }
  assert.deepEqual(rest.slice(0, seen.length - 2), seen.slice(2), "it went on without its client");
  const { type, response } = rest.at(-1);
  assert.deepEqual([type, response.status, response.output[0].content[0].text], ["response.incomplete", "cancelled", "one "]);
}

async function conversations() {
  const made = await client.conversations.create({ metadata: { topic: "demo" } });
  assert.deepEqual(await client.conversations.retrieve(made.id), made);
  const changed = await client.conversations.update(made.id, { metadata: { topic: "x" } });
  assert.deepEqual([changed.id, changed.metadata], [made.id, { topic: "x" }]);
  const deleted = await client.conversations.delete(made.id);
  assert.deepEqual([deleted.id, deleted.object, deleted.deleted], [made.id, "conversation.deleted", true]);
  await refused(404, OpenAI.NotFoundError, "conversation_not_found", null, () => client.conversations.retrieve(made.id));
}

async function itemsPutIntoAConversation() {
  const { id } = await client.conversations.create({ items: [{ role: "user", content: "look" }] });
  const items = [
    { type: "function_call", call_id: "call_7", name: "look", arguments: "{}" },
    { type: "function_call_output", call_id: "call_7", output: "a dog" },
    { role: "assistant", content: "a dog it is" },
  ];
  const made = await client.conversations.items.create(id, { items });
  assert.deepEqual(made.data.map((item) => item.type), ["function_call", "function_call_output", "message"]);
  const listed = await all(client.conversations.items.list(id, { order: "asc" }));
  assert.deepEqual(listed.slice(1), made.data);
  const told = ["user: look", "assistant: ", "tool: a dog", "assistant: a dog it is", "user: recall"];
  const asked = await client.responses.create({ model: "up", conversation: id, input: "recall" });
  assert.deepEqual(asked.output_text.split("\n"), told);
  const again = await client.responses.create({ model: "up", input: [...listed, { role: "user", content: "recall" }] });
  assert.deepEqual(again.output_text.split("\n"), told);
}

async function conversationOfManyItems() {
  const { id } = await client.conversations.create();
  const said = [];
  for (let n = 0; n < 55; n++) {
    await client.responses.create({ model: "up", conversation: id, input: `q${n}` });
    said.push(`q${n}`, `answer to q${n}`);
  }
  assert.deepEqual(texts(await all(client.conversations.items.list(id))), said.toReversed());
  for (const limit of [7, 100]) {
    const items = await all(client.conversations.items.list(id, { limit, order: "asc" }));
    assert.deepEqual(texts(items), said, `${limit} at a time`);
    const one = await client.conversations.items.retrieve(items[limit].id, { conversation_id: id });
    assert.deepEqual(one, items[limit]);
  }
}

async function structuredOutput() {
  const Weather = z.object({ city: z.string(), degrees: z.number() });
  const text = { format: zodTextFormat(Weather, "weather") };
  const parsed = await client.responses.parse({ model: "up", input: "as json", text });
  assert.deepEqual(parsed.output_parsed, { city: "Oslo", degrees: -3 });
  const streamed = await client.responses.stream({ model: "up", input: "as json", text }).finalResponse();
  assert.deepEqual(streamed.output_parsed, parsed.output_parsed);
}

async function toolRoundTrip() {
  const first = await client.responses.create({ model: "up", input: "use tools", tools: [LOOK] });
  const [call] = first.output.filter((item) => item.type === "function_call");
  assert.deepEqual([call.name, JSON.parse(call.arguments)], ["look", { where: "here" }]);
  const output = { type: "function_call_output", call_id: call.call_id, output: "a cat" };
  const ask = { model: "up", input: [output], previous_response_id: first.id, tools: [LOOK] };
  const second = await client.responses.create(ask);
  assert.equal(second.output_text, "the tool said a cat");
  // What a response showed is found in its conversation under the same ids.
  for (const item of [...first.output, ...second.output]) {
    const found = await client.conversations.items.retrieve(item.id, { conversation_id: first.conversation.id });
    assert.deepEqual(found, item);
  }
}

async function errors() {
  const create = (fields) => () => client.responses.create({ model: "up", input: "x", ...fields });
  const { NotFoundError, BadRequestError } = OpenAI;
  await refused(404, NotFoundError, "response_not_found", null, () => client.responses.retrieve("resp_0"));
  await refused(404, NotFoundError, "model_not_found", "model", create({ model: "gpt-none" }));
  await refused(404, NotFoundError, "conversation_not_found", "conversation", create({ conversation: "conv_0" }));
  const previous = create({ previous_response_id: "resp_0" });
  await refused(400, BadRequestError, "previous_response_not_found", "previous_response_id", previous);
  const hosted = create({ tools: [{ type: "web_search" }] });
  await refused(400, BadRequestError, "unsupported_tool", "tools[0].type", hosted);
  const upstream = create({ input: "fail" });
  await refused(502, OpenAI.InternalServerError, "upstream_rejected", null, upstream);
}

async function refused(status, kind, code, param, act) {
  const error = await act().then(() => assert.fail(`${code} was expected`), (error) => error);
  assert(error instanceof kind, `${error}`);
  assert.deepEqual([error.status, error.code, error.param], [status, code, param], error.message);
}

const STORIES = [
  models,
  createAndContinue,
  inputItemsPageByPage,
  streamAndResume,
  streamHelper,
  refusal,
  backgroundAndCancel,
  leaveAndComeBack,
  conversations,
  itemsPutIntoAConversation,
  conversationOfManyItems,
  structuredOutput,
  toolRoundTrip,
  errors,
];

for (const story of STORIES) {
  await story();
  console.log("ok", story.name);
}

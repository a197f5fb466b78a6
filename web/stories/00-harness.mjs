/** The harness itself: the scripted upstream, the server and the browser do what the other stories build on. */
import { names } from "./names.mjs";
import { axe, percentile, sampleFrames, timeTo, typingLatencies, watchFrames } from "./measure.mjs";

// What is shown is stored: a kill takes nothing back.
export const server = { options: { durability: "strict" } };

export const story = {
  number: 0,
  name: "the harness: a stream gives its text, a cut an incomplete turn, a restart keeps all, a page can be measured",
  // A server without a favicon.
  expectErrors: /404/,
  async run({ page, server, upstream, report, expect }) {
    const session = await server.session("harness");
    upstream.on("stream", [{ text: "one two three", chunk: 4, everyMs: 5 }]);
    const streamed = await server.say(session, "stream, please");
    expect.equal(streamed.message.content, "one two three", "the streamed pieces make up the answer");

    upstream.on("cut", [{ text: "so far" }, { cut: true }]);
    const cut = await server.api("POST", "/chat", { session_id: session, message: "cut it" }, { refused: true });
    expect.equal([cut.status, cut.message.content], ["failed", "so far"], "a dropped connection fails the turn and keeps what was said");

    upstream.on("short", [{ text: "cut sho" }, { finish: "length" }]);
    const short = await server.say(session, "be short");
    expect.equal([short.status, short.reason], ["incomplete", "length"], "a finish by length leaves an incomplete answer");

    upstream.on("refuse", [{ status: 400, body: { error: { message: "no such parameter" } } }]);
    const refused = await server.api("POST", "/chat", { session_id: session, message: "refuse it" }, { refused: true });
    expect.equal(refused.status, "failed", "a refusal fails the turn");

    upstream.on("tool", [{ reasoning: "the weather, then" }, { toolCall: { name: "lookup_weather", arguments: { city: "北京" } } }]);
    const tools = [{ type: "function", function: { name: "lookup_weather", parameters: { type: "object" } } }];
    const called = await server.say(await server.session("tools"), "use the tool", { tools });
    expect.equal(called.message.tool_calls[0].arguments, '{"city":"北京"}', "a tool call comes through");

    const gate = upstream.gate();
    upstream.on("held", [{ text: "before, " }, { wait: gate }, { text: "after" }]);
    const held = server.say(session, "held");
    await gate.reached;
    gate.open();
    expect.equal((await held).message.content, "before, after", "a gate holds an answer until it is opened");

    await server.restart();
    expect.equal((await server.messages(session)).length, 9, "a restart keeps every message");

    upstream.on("killed", [{ text: "half an answer" }, { hang: true }]);
    const { turn_id } = await server.say(session, "killed midway", { wait: false });
    await expect.soon(async () => (await server.look(session)).active_turn?.text, "the answer to begin");
    await server.kill();
    await server.start();
    expect.equal((await server.api("GET", `/turns/${turn_id}`)).reason, "interrupted", "a kill interrupts the answer");

    const start = performance.now();
    const [long] = await server.seed({ turns: 60 });
    report("seeding a turn", (performance.now() - start) / 60, "ms");
    expect.equal((await server.messages(long)).length, 100, "a page of the seeded session is full");

    await page.goto("/docs");
    await page.evaluate(() => document.body.prepend(document.createElement("textarea")));
    await page.locator("textarea").focus();
    const stopFrames = await watchFrames(page);
    const stopSamples = await sampleFrames(page, () => document.querySelector("textarea").value);
    const shown = await timeTo(page, "keydown", () => page.keyboard.press("x"), () => document.querySelector("textarea").value === "x");
    report("a key to its paint", shown, "ms", 100);
    report("typing p95", percentile(await typingLatencies(page, "hello"), 95), "ms", 100);
    const samples = await stopSamples();
    expect(samples.some(({ value }) => value === "xhel"), "a probe sees the field as it grows");
    report("p95 frame", (await stopFrames()).p95, "ms", 50);
    expect((await axe(page)).some((finding) => finding.includes("label")), "axe finds the field without a name");
    expect(names.stop.test("Stop"), "names are patterns");
  },
};

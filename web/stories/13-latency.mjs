/** Something happens at once, and typing stays smooth whatever streams. */
import { percentile, timeTo, typingLatencies, watchFrames } from "./measure.mjs";
import { names } from "./names.mjs";
import { answers, composer, ends, lastStatus, openBeside, pane, send } from "./page.mjs";

const userShown = (text) => [...document.querySelectorAll('[data-row][data-role="user"]')].some((row) => row.textContent.includes(text));
const pendingShown = () => document.querySelector('[data-row][data-role="assistant"]:is([data-status="waiting"], [data-status="streaming"])') !== null;
const elapsedShown = (pattern) => new RegExp(pattern).test([...document.querySelectorAll('[data-row][data-role="assistant"]')].at(-1)?.textContent ?? "");

const atOnce = {
  number: 13,
  name: "the message shows within 100 ms of Enter, a pending sign within 300 ms, elapsed seconds after 3 s without a token",
  async run({ page, server, upstream, open, report, expect }) {
    const gate = upstream.gate();
    upstream.on("patience", [{ wait: gate }, { text: "Here it is." }]);
    const sent = async (text, seen, arg) => {
      const session = await server.session(text);
      await open(`/s/${session}`);
      await composer(pane(page, session)).fill(text);
      return timeTo(page, "keydown", () => composer(pane(page, session)).press("Enter"), seen, arg);
    };
    report("message shown", await sent("patience, one", userShown, "patience, one"), "ms", 100);
    report("pending shown", await sent("patience, two", pendingShown), "ms", 300);
    const elapsed = await sent("patience, three", elapsedShown, names.elapsed.source);
    report("elapsed shown", elapsed, "ms", 4000);
    expect(elapsed >= 2500, `no seconds to be counted before three have gone by, not after ${elapsed} ms`);
    gate.open();
    await answers(pane(page), "Here it is.");
    expect.equal(upstream.requests.length, 3, "each message is sent once");
  },
};

const smooth = {
  number: 14,
  name: "with four panes streaming, frames and typing stay smooth",
  context: { viewport: { width: 1600, height: 900 } },
  async run({ page, server, upstream, open, report, expect }) {
    const prose = (index) => ["Some ", "**bold** ", "words ", "and `code`, ", "then\n\n", "- a point ", "of a list\n", "\n"][index % 8];
    upstream.on("stream", [{ tokens: 700, rate: 50, token: prose }, { text: "finished" }]);
    const sessions = [];
    for (const title of ["One", "Two", "Three", "Four"]) sessions.push(await server.session(title));
    const places = await openBeside(page, open, sessions);
    for (const place of places) await send(place, "stream");
    for (const place of places) await answers(place, "Some bold words");

    await composer(places[0]).focus();
    const frames = await watchFrames(page);
    const text = "typing while all four panes stream should feel like typing";
    const latencies = await typingLatencies(page, text);
    const { p95, worst, longestTask } = await frames();
    expect.equal(await composer(places[0]).inputValue(), text, "every key arrives");
    expect.equal(await Promise.all(places.map(lastStatus)), places.map(() => "streaming"), "all panes stream all the while");
    report("worst frame", worst, "ms");
    report("p95 frame", p95, "ms", 50);
    report("typing p95", percentile(latencies, 95), "ms", 50);
    report("longest task", longestTask, "ms", 200);
    for (const place of places) await ends(place, "completed", 30_000);
  },
};

export const story = [atOnce, smooth];

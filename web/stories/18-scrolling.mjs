/** The page never moves under the reader. */
import { sampleFrames, timeTo } from "./measure.mjs";
import { names } from "./names.mjs";
import { answers, composer, ends, isGone, isShown, jump, openBeside, pane, rowOffset, rows, scrollState, send, sessionRow, thread, topRow, wheel } from "./page.mjs";

const question = (index) => `Question ${index + 1}: ${"what follows from it, and why? ".repeat(1 + (index % 5))}`;

/** Waits until the thread of the pane stands still. */
const settled = (pane, expect) => {
  let last = null;
  let same = 0;
  return expect.soon(async () => {
    const now = JSON.stringify(await scrollState(pane));
    same = now === last ? same + 1 : 0;
    last = now;
    return same >= 5;
  }, "the thread to stand still");
};

const follows = {
  number: 18,
  name: "at the bottom it stays within 2 px of the bottom through a whole stream, late growth included",
  async run({ page, server, upstream, open, report, expect }) {
    const parts = [
      "A first paragraph that says what is to come. ".repeat(4),
      "```js\nconst late = await import('colours');\nfor (const line of late) console.log(line);\n```",
      "$$\\int_0^1 x^2\\,dx = \\frac{1}{3}$$",
      "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |",
      "And a last paragraph, long enough to wrap once or twice. ".repeat(5),
    ];
    upstream.on("everything", [{ text: [...parts, ...parts].join("\n\n"), chunk: 6, everyMs: 12 }]);
    const [session] = await server.seed({ turns: 15, message: question });
    await server.api("PATCH", `/sessions/${session}`, { config_id: "scripted" });
    await open(`/s/${session}`);
    const here = pane(page, session);
    await answers(here, "Question 15");
    await settled(here, expect);
    const stop = await sampleFrames(page, () => {
      const box = document.querySelector("[data-thread]");
      return box.scrollHeight - box.clientHeight - box.scrollTop;
    });
    await send(here, "everything");
    await answers(here, "A first paragraph");
    await ends(here, "completed", 30_000);
    await settled(here, expect);
    const distances = (await stop()).map(({ value }) => value);
    const off = distances.filter((distance) => distance > 2).length;
    report("frames", distances.length, "");
    report("farthest from the bottom", Math.max(...distances), "px");
    expect.equal(off, 0, "no frame is off the bottom");
    expect(distances.length > 60, "the stream to be seen in many frames");
  },
};

const holds = {
  number: 19,
  name: "scrolled up by 10 px or more the position holds for 2 s of streaming; “jump to latest” returns to following",
  async run({ page, server, upstream, open, report, expect }) {
    upstream.on("stream", [{ tokens: 600, rate: 50, token: (index) => `word${index}${index % 25 === 24 ? "\n\n" : " "}` }]);
    const [session] = await server.seed({ turns: 15, message: question });
    await server.api("PATCH", `/sessions/${session}`, { config_id: "scripted" });
    await open(`/s/${session}`);
    const here = pane(page, session);
    await answers(here, "Question 15");
    await send(here, "stream");
    await answers(here, "word30");
    for (const up of [-12, -300]) {
      await wheel(page, here, up);
      await isShown(jump(here));
      const top = await expect.soon(async () => {
        const [one, other] = [await topRow(here), await topRow(here)];
        return one.key === other.key && one.offset === other.offset && one;
      }, "the wheel to have done its work");
      const stop = await sampleFrames(page, (key) => {
        const box = document.querySelector("[data-thread]");
        return box.querySelector(`[data-row="${CSS.escape(key)}"]`).getBoundingClientRect().top - box.getBoundingClientRect().top;
      }, top.key);
      await page.waitForTimeout(2000);
      const moved = Math.max(...(await stop()).map(({ value }) => Math.abs(value - top.offset)));
      report(`moved after ${-up} px`, moved, "px");
      expect(moved <= 1, `the position to hold within 1 px, not ${moved}`);
      await jump(here).click();
      await isGone(jump(here));
      await expect.soon(async () => (await scrollState(here)).fromBottom <= 2, "the jump to reach the bottom");
    }
    const { top } = await scrollState(here);
    await expect.soon(async () => (await scrollState(here)).top > top + 40, "it to follow again");
    expect((await scrollState(here)).fromBottom <= 2, "it to be at the bottom again");
  },
};

const older = {
  number: 20,
  name: "loading older messages keeps the top visible one within 2 px",
  async run({ page, server, upstream, open, report, expect }) {
    const [session] = await server.seed({ turns: 80, message: question });
    const gate = upstream.gate();
    await page.route(/\/messages\?.*before=/, async (route) => {
      gate.reach();
      await gate.opened;
      await route.continue();
    });
    await open(`/s/${session}`);
    const here = pane(page, session);
    await answers(here, "Question 80");
    await thread(here).evaluate((box) => (box.scrollTop = 0));
    await gate.reached;
    await settled(here, expect);
    const [top, before] = [await topRow(here), await thread(here).evaluate((box) => box.scrollHeight)];
    const stop = await sampleFrames(page, (key) => {
      const box = document.querySelector("[data-thread]");
      const row = box.querySelector(`[data-row="${CSS.escape(key)}"]`);
      return row && row.getBoundingClientRect().top - box.getBoundingClientRect().top;
    }, top.key);
    gate.open();
    await expect.soon(async () => (await thread(here).evaluate((box) => box.scrollHeight)) > before + 500, "older messages to come in");
    await settled(here, expect);
    const moves = (await stop()).map(({ value }) => (value === null ? Infinity : Math.abs(value - top.offset)));
    report("moved at most", Math.max(...moves), "px");
    expect(Math.max(...moves) <= 2, "the top visible message to stay within 2 px in every frame");
    await wheel(page, here, -400);
    await expect.soon(async () => (await topRow(here)).key !== top.key, "the older messages to be above it");
  },
};

const thousand = {
  number: 21,
  name: "a session of 1,000 messages opens with its last message visible within 1 s, fewer than 60 nodes mounted",
  async run({ page, server, open, report, expect }) {
    const [session] = await server.seed({ turns: 500, message: question });
    const home = await server.session("Home");
    await open(`/s/${home}`);
    await composer(pane(page, home)).waitFor();
    const lastShown = () => {
      const row = [...document.querySelectorAll('[data-row][data-role="assistant"]')].at(-1);
      if (!row?.textContent.includes("Question 500")) return false;
      const [line, box] = [row.getBoundingClientRect(), row.closest("[data-thread]").getBoundingClientRect()];
      return line.bottom > box.top && line.top < box.bottom;
    };
    report("opened from the sidebar", await timeTo(page, "pointerdown", () => sessionRow(page, session).click(), lastShown), "ms", 1000);
    const here = pane(page, session);
    const mounted = async () => {
      const count = await rows(here).count();
      expect(count > 0 && count < 60, `fewer than 60 messages to be mounted, not ${count}`);
      return count;
    };
    report("mounted", await mounted(), "rows");
    const start = Date.now();
    await open(`/s/${session}`);
    await page.waitForFunction(lastShown);
    report("opened cold", Date.now() - start, "ms", 1000);
    for (let turn = 0; turn < 12; turn += 1) await wheel(page, here, -3000);
    await settled(here, expect);
    await mounted();
  },
};

const apart = {
  number: 22,
  name: "focusing, switching panes or resizing never changes another pane's scroll position",
  context: { viewport: { width: 1600, height: 900 } },
  async run({ page, server, open, expect }) {
    const sessions = [];
    for (const title of ["A", "B", "C"]) sessions.push(...(await server.seed({ turns: 40, message: question, title: () => title })));
    const [a, b, c] = await openBeside(page, open, sessions);
    for (const place of [b, c]) {
      await answers(place, "Question 40");
      await wheel(page, place, -1500);
      await settled(place, expect);
    }
    const places = async () => [await topRow(b), await topRow(c)];
    const before = await places();
    const stays = async (after) => expect.equal(await places(), before, `B and C stay where they are after ${after}`);
    await composer(a).click();
    await stays("a click into A");
    for (let press = 0; press < 3; press += 1) await page.keyboard.press("F6");
    await stays("a round of F6");
    await wheel(page, a, -700);
    await stays("scrolling A");
    await composer(c).focus();
    await stays("focusing C's composer");

    const separator = page.getByRole("separator", { name: names.separator }).first();
    await separator.focus();
    for (let press = 0; press < 3; press += 1) await separator.press("ArrowRight");
    await settled(c, expect);
    expect.equal(await topRow(c), before[1], "C stays where it is when A and B share their room anew");
    const top = await topRow(b);
    expect.equal(top.key, before[0].key, "B keeps its top message when it is resized");
    expect((await rowOffset(b, top.key)) <= 1, "B's top message to be at the top");
  },
};

export const story = [follows, holds, older, thousand, apart];

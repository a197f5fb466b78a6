/** Looks from inside the page, once per animation frame. What is passed as a function runs there, so it may use nothing from here. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** Runs `body(...parts)` in the page; functions among the parts come along as source. Gives a handle of what it returns. */
const inPage = (page, body, ...parts) => {
  const source = parts.map((part) => (typeof part === "function" ? `(${part})` : JSON.stringify(part) ?? "undefined"));
  return page.evaluateHandle(`(${body})(${source.join(", ")})`);
};

/** The moment (ms since 1970) of the next `type` event in the page. Await the watch before acting, call it after. */
export async function whenEvent(page, type) {
  const watch = await inPage(
    page,
    (type) => ({ at: new Promise((done) => addEventListener(type, (event) => done(performance.timeOrigin + event.timeStamp), { capture: true, once: true })) }),
    type,
  );
  return () => watch.evaluate(({ at }) => at);
}

/** The moment at which the first frame is painted in which `seen(arg)` is true. */
export async function whenSeen(page, seen, arg) {
  const watch = await inPage(
    page,
    (seen, arg) => ({
      at: new Promise((done) => {
        const look = () => requestAnimationFrame(seen(arg) ? () => done(performance.timeOrigin + performance.now()) : look);
        look();
      }),
    }),
    seen,
    arg,
  );
  return () => watch.evaluate(({ at }) => at);
}

/** Milliseconds from the first `event` of `action` to the frame in which `seen(arg)` is true. */
export async function timeTo(page, event, action, seen, arg) {
  const began = await whenEvent(page, event);
  const shown = await whenSeen(page, seen, arg);
  await action();
  return (await shown()) - (await began());
}

/** Calls `probe(arg)` after the paint of every frame until the returned function is called, which gives `[{ at, value }]`. */
export async function sampleFrames(page, probe, arg) {
  const sampler = await inPage(
    page,
    (probe, arg) => {
      const samples = [];
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data: at }) => samples.push({ at, value: probe(arg) });
      let frame = requestAnimationFrame(function look(at) {
        port2.postMessage(at);
        frame = requestAnimationFrame(look);
      });
      return {
        stop() {
          cancelAnimationFrame(frame);
          return samples;
        },
      };
    },
    probe,
    arg,
  );
  return () => sampler.evaluate((sampler) => sampler.stop());
}

/** How smoothly the page runs until the returned function is called: `{ p95, worst, longestTask }` in ms. */
export async function watchFrames(page) {
  const tasks = await inPage(page, () => {
    const lengths = [0];
    new PerformanceObserver((list) => lengths.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask" });
    return lengths;
  });
  const stop = await sampleFrames(page, () => null);
  return async () => {
    const samples = await stop();
    const times = samples.slice(1).map(({ at }, index) => at - samples[index].at);
    return { p95: percentile(times, 95), worst: Math.max(...times), longestTask: Math.max(...(await tasks.jsonValue())) };
  };
}

/** Types into what has the focus; milliseconds from each keydown to the paint that follows. */
export async function typingLatencies(page, text, everyMs = 60) {
  const latencies = await inPage(page, () => {
    const latencies = [];
    const { port1, port2 } = new MessageChannel();
    const pressed = [];
    port1.onmessage = () => latencies.push(performance.now() - pressed.shift());
    addEventListener(
      "keydown",
      (event) => {
        pressed.push(event.timeStamp);
        requestAnimationFrame(() => port2.postMessage(null));
      },
      { capture: true },
    );
    return latencies;
  });
  await page.keyboard.type(text, { delay: everyMs });
  await page.waitForFunction(({ latencies, count }) => latencies.length >= count, { latencies, count: [...text].length });
  return latencies.jsonValue();
}

/** Collects what is added to the live regions of the page until the returned function is called: `[text]`. */
export async function announcements(page) {
  const heard = await inPage(page, () => {
    const heard = [];
    const region = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest('[aria-live="polite"], [aria-live="assertive"], [role="status"], [role="alert"]');
    const listen = (mutations) => {
      for (const text of new Set(mutations.map(({ target }) => region(target)?.textContent?.trim()))) {
        if (text) heard.push(text);
      }
    };
    new MutationObserver(listen).observe(document.body, { subtree: true, childList: true, characterData: true });
    return heard;
  });
  return () => heard.jsonValue();
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** axe's serious and critical findings, each as one line. */
export async function axe(page) {
  await page.evaluate(`(() => { ${axeSource} })()`);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return grave.map(({ id, impact, help, nodes }) => `${impact} ${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
}

export function percentile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.ceil((share / 100) * sorted.length) - 1)] ?? 0;
}

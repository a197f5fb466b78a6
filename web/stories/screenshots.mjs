/** Pictures for the documentation, in docs/images: `node stories/screenshots.mjs [part of a name]` */
import { mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { launch, visitor } from "./browser.mjs";
import { names } from "./names.mjs";
import { answer, answers, button, hasText, isShown, openBeside, pane, prefer, queue, rows } from "./page.mjs";
import { startServer } from "./server.mjs";
import { startUpstream } from "./upstream.mjs";
import { makeWorld, words } from "./world.mjs";

const BYTES_MAX = 500_000;
const wide = { width: 1440, height: 900 };
const narrow = { width: 390, height: 844 };
const out = fileURLToPath(new URL("../../docs/images/", import.meta.url));

const runningBeside = async ({ page, open, sessions }, other) => {
  const [there, running] = await openBeside(page, open, [sessions[other], sessions.migration]);
  await answers(running, "in one short transaction");
  await isShown(queue(running).nth(1));
  await isShown(answer(running).locator("pre span[style]"));
  return there;
};

const pictures = {
  panes: {
    viewport: wide,
    show: async (stage) => {
      const rust = await runningBeside(stage, "rust");
      await isShown(answer(rust).locator("pre span[style]"));
    },
  },
  "panes-dark-zh": {
    viewport: wide, theme: "dark", language: "zh-CN",
    show: async ({ page, open, sessions }) => {
      const [trip, sum] = await openBeside(page, open, [sessions.beijing, sessions.basel]);
      await answers(trip, "故宫周一闭馆");
      await isShown(answer(sum).locator(".katex-display"));
    },
  },
  models: {
    viewport: wide,
    show: async ({ page, open, sessions }) => {
      const models = Object.keys(words.compared.models);
      const places = await openBeside(page, open, models.map((model) => sessions[model]));
      for (const place of places) await isShown(answer(place));
    },
  },
  error: {
    viewport: wide, theme: "dark",
    show: async (stage) => {
      const failed = await runningBeside(stage, "failed");
      await hasText(rows(failed, "assistant").last(), "429");
    },
  },
  configs: {
    viewport: wide,
    show: async ({ page, open, sessions }) => {
      await open(`/s/${sessions.rust}`);
      await answers(pane(page), "E0106");
      await button(page, names.configs).click();
      await isShown(page.getByRole("dialog").getByText("orca-large"));
    },
  },
  palette: {
    viewport: wide, theme: "dark",
    show: async ({ page, open, sessions }) => {
      await open(`/s/${sessions.basel}`);
      await isShown(answer(pane(page)).locator(".katex-display"));
      await page.keyboard.press("Control+k");
      await isShown(page.getByRole("dialog").getByRole("option"));
    },
  },
  "narrow-zh": {
    viewport: narrow, language: "zh-CN",
    show: async ({ page, open, sessions }) => {
      await open(`/s/${sessions.beijing}`);
      await answers(pane(page), "故宫周一闭馆");
    },
  },
  "narrow-dark": {
    viewport: narrow, theme: "dark",
    show: async ({ page, open, sessions }) => {
      await open(`/s/${sessions.migration}`);
      await answers(pane(page), "in one short transaction");
      await isShown(queue(pane(page)).nth(1));
    },
  },
};

async function take(name, { viewport, theme = "light", language = "en", show }, { browser, server, sessions }) {
  const problems = [];
  const page = await visitor(browser, server, { problem: (text) => problems.push(text), say: () => {} }, { viewport, reducedMotion: "reduce" });
  await prefer(page, { theme, language, sidebar: viewport === wide });
  const open = (path) => page.goto(path, { waitUntil: "domcontentloaded" });
  await show({ page, open, sessions });
  await page.evaluate(() => document.fonts.ready);
  const path = `${out}${name}.png`;
  await page.screenshot({ path });
  await page.context().close();
  const bytes = statSync(path).size;
  if (problems.length > 0) throw new Error(`${name}: ${problems.join("\n")}`);
  if (bytes > BYTES_MAX) throw new Error(`${path} has ${bytes} bytes, more than ${BYTES_MAX}.`);
  console.log(`${path}  ${Math.round(bytes / 1024)} KiB`);
}

mkdirSync(out, { recursive: true });
const upstream = await startUpstream();
const server = await startServer();
const browser = await launch();
try {
  await server.config(upstream, { id: "main", name: "Everyday", model: "orca-large", default: true });
  const sessions = await makeWorld({ server, upstream });
  const [part = ""] = process.argv.slice(2);
  for (const [name, picture] of Object.entries(pictures)) {
    if (name.includes(part)) await take(name, picture, { browser, server, sessions });
  }
} finally {
  await browser.close();
  await server.remove();
  upstream.stop();
}

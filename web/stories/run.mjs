/**
 * Tells the stories: `node stories/run.mjs [number | part of a name]…`
 *
 * Each file gets a server with a data directory of its own and a scripted upstream, each story a fresh browser context.
 * Results go to stories/out/. Timings may exceed what is wanted by the factor STORY_SLACK (3), since machines differ.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch, visitor } from "./browser.mjs";
import { expect } from "./expect.mjs";
import { findBinary, startServer } from "./server.mjs";
import { startUpstream } from "./upstream.mjs";

const STORY_MS = 60_000;
const SLACK = Number(process.env.STORY_SLACK ?? 3);
const here = fileURLToPath(new URL(".", import.meta.url));
const out = join(here, "out");

process.on("SIGTERM", () => process.exit(143));
// A story that failed leaves promises behind.
process.on("unhandledRejection", () => {});

async function chosen(words) {
  const names = readdirSync(here).filter((name) => /^\d\d-.*\.mjs$/.test(name)).sort();
  const wanted = (file, { number, name }) =>
    words.length === 0 || words.some((word) => (/^\d+$/.test(word) ? Number(word) === number : `${file} ${name}`.includes(word)));
  const files = [];
  for (const file of names) {
    const { story, server } = await import(join(here, file));
    const stories = [story].flat().filter((one) => wanted(file, one));
    if (stories.length > 0) files.push({ stories, setting: server ?? {} });
  }
  if (files.length === 0) throw new Error(`No story fits ${words.join(" ")}.`);
  return files;
}

async function tellFile({ stories, setting }, browser) {
  const upstream = await startUpstream();
  const server = await startServer(setting);
  const results = [];
  try {
    if (setting.scripted !== false) await server.config(upstream, { id: "scripted", name: "Scripted", default: true });
    for (const story of stories) {
      if (!server.running) await server.start();
      upstream.reset();
      results.push(await tell(story, { browser, server, upstream }));
    }
  } finally {
    await server.remove();
    upstream.stop();
  }
  return results;
}

async function tell(story, { browser, server, upstream }) {
  const start = performance.now();
  const figures = [];
  const problems = [];
  const console = [];
  const pages = [];
  const ears = { say: (line) => console.push(line), problem: (text) => story.expectErrors?.test(text) || problems.push(text) };
  /** A page of another visitor: another browser as far as the server can tell. */
  const visit = async (options) => {
    const page = await visitor(browser, server, ears, options);
    pages.push(page);
    return page;
  };
  /** Puts a figure into the report. With a bound, it also has to hold, give or take the slack of this machine. */
  const report = (label, value, unit, bound) => {
    figures.push({ label, value: Math.round(value * 10) / 10, unit, ...(bound !== undefined && { bound }) });
    expect(bound === undefined || value <= bound * SLACK, `${label} of at most ${bound} ${unit} (×${SLACK}), not ${value.toFixed(1)}`);
  };
  let late;
  try {
    const page = await visit(story.context);
    const open = async (path = "/", where = page) => {
      await where.goto(path, { waitUntil: "domcontentloaded" });
      await where.locator("#root > *").first().waitFor({ state: "attached" });
      return where;
    };
    const bound = new Promise((_, reject) => {
      late = setTimeout(() => reject(new Error(`the story took more than ${STORY_MS} ms`)), STORY_MS);
    });
    await Promise.race([story.run({ page, context: page.context(), browser, server, upstream, open, visit, report, expect }), bound]);
  } catch (error) {
    problems.unshift(error.stack ?? String(error));
  }
  clearTimeout(late);
  const result = { number: story.number, name: story.name, ok: problems.length === 0, ms: Math.round(performance.now() - start), figures, problems };
  if (!result.ok) await keep(result, pages, console, server);
  await Promise.all(pages.map((page) => page.context().close()));
  print(result);
  return result;
}

async function keep({ number, problems }, pages, console, server) {
  const name = join(out, String(number).padStart(2, "0"));
  const shots = pages.map((page, index) => page.screenshot({ path: `${name}-${index}.png`, timeout: 5000 }).catch(() => {}));
  await Promise.all(shots);
  writeFileSync(`${name}.log`, [...problems, "", "console:", ...console, "", "server:", server.log.slice(-20_000)].join("\n"));
}

function print({ number, name, ok, ms, figures, problems }) {
  const told = figures.map(({ label, value, unit }) => ` · ${label} ${value} ${unit}`).join("");
  console.log(`${String(number).padStart(2)} ${ok ? "ok    " : "FAILED"} ${String(ms).padStart(6)} ms  ${name}${told}`);
  for (const problem of problems) console.log(`     ${problem.split("\n").slice(0, 8).join("\n     ")}`);
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const files = await chosen(process.argv.slice(2));
findBinary();
const browser = await launch();
const results = [];
try {
  for (const file of files) results.push(...(await tellFile(file, browser)));
} finally {
  await browser.close();
  writeFileSync(join(out, "report.json"), `${JSON.stringify({ slack: SLACK, load: loadavg(), stories: results }, null, 2)}\n`);
}
const failed = results.filter((result) => !result.ok).length;
const load = `load of the machine ${loadavg()[0].toFixed(1)}`;
console.log(failed === 0 ? `${results.length} stories, all as told; ${load}` : `${failed} of ${results.length} stories FAILED, see ${out}; ${load}`);
process.exit(failed === 0 ? 0 : 1);

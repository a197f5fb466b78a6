/** The system's Chromium, and contexts of it that tell what went wrong in their pages. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

export function findChromium() {
  if (process.env.CHROMIUM) {
    if (existsSync(process.env.CHROMIUM)) return process.env.CHROMIUM;
    throw new Error(`CHROMIUM is ${process.env.CHROMIUM}, and there is nothing.`);
  }
  const folders = ["/usr/bin", ...(process.env.PATH ?? "").split(delimiter)];
  const found = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  if (!found) throw new Error("No Chromium was found. Install one (`apt-get install chromium`), or set CHROMIUM to its path.");
  return found;
}

export const launch = () => chromium.launch({ executablePath: findChromium() });

/** A page in a context of its own. `problem` hears of errors, `say` of everything on the console. */
export async function visitor(browser, server, { problem, say }, options = {}) {
  const context = await browser.newContext({ baseURL: server.origin, viewport: { width: 1280, height: 800 }, locale: "en-US", timezoneId: "Asia/Shanghai", ...options });
  context.setDefaultTimeout(10_000);
  context.on("console", (message) => {
    say(`${message.type()}: ${message.text()} (${message.location().url})`);
    if (message.type() === "error") problem(`console error: ${message.text()}`);
  });
  context.on("weberror", (failure) => problem(`uncaught: ${failure.error().stack ?? failure.error()}`));
  context.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (/^(https?|wss?):$/.test(protocol) && origin !== server.origin) problem(`request to another origin: ${request.url()}`);
  });
  return context.newPage();
}

/** What a user does and sees. The hooks are `data-*` attributes of the page; everything else goes by role and name. */
import { expect } from "./expect.mjs";
import { names } from "./names.mjs";

export const panes = (page) => page.locator("[data-pane]");
export const activePane = (page) => page.locator("[data-pane][data-active]");
/** By number from the left, or by the id of its session. */
export const pane = (page, which = 0) => (typeof which === "number" ? panes(page).nth(which) : page.locator(`[data-pane][data-session="${which}"]`));

export const composer = (pane) => pane.locator("textarea[data-composer]");
export const thread = (pane) => pane.locator("[data-thread]");
export const rows = (pane, role) => pane.locator(role ? `[data-row][data-role="${role}"]` : "[data-row]");
export const queue = (pane) => pane.locator("[data-queued]");
export const jump = (pane) => pane.locator("[data-jump]");
export const answer = (pane) => pane.locator("[data-answer]").last();
export const answerText = async (pane) => (await answer(pane).textContent()) ?? "";
export const lastStatus = (pane) => rows(pane, "assistant").last().getAttribute("data-status");
export const button = (where, name) => where.getByRole("button", { name }).filter({ visible: true }).first();
export const menuItem = (page, name) => page.getByRole("menuitem", { name }).first();
export const sessionRow = (page, session) => page.locator(`[data-session-row="${session}"]`);
export const searchField = (page) => page.getByLabel(names.search);
export const banner = (page) => page.locator('[data-banner="lost"]');

/** The settings that this browser has kept when the page opens. */
export const prefer = (page, { theme = "system", language = "en", sidebar = true }) =>
  page.addInitScript((state) => localStorage.setItem("turnwise.settings", JSON.stringify({ state, version: 0 })), { theme, language, sidebar, enterSends: true });

/** Writes into the composer and presses Enter. */
export async function send(pane, text) {
  await composer(pane).fill(text);
  await composer(pane).press("Enter");
}

/** Waits until the element's text has `text` in it. */
export const hasText = (locator, text, ms) =>
  expect.soon(async () => {
    const found = (await locator.textContent({ timeout: 1000 })) ?? "";
    return text instanceof RegExp ? text.test(found) : found.includes(text);
  }, `${locator} to say ${text}`, ms);

export const answers = (pane, text, ms) => hasText(answer(pane), text, ms);

export const isShown = (locator, claim, ms) => expect.soon(() => locator.first().isVisible(), claim ?? `${locator} to be there`, ms);
export const isGone = (locator, claim, ms) => expect.soon(async () => (await locator.filter({ visible: true }).count()) === 0, claim ?? `${locator} to be gone`, ms);
export const ends = (pane, status = "completed", ms) => expect.soon(async () => (await lastStatus(pane)) === status, `the last answer to be ${status}`, ms);

/** Opens sessions side by side: the first by its address, the others with Ctrl-click. */
export async function openBeside(page, open, sessions) {
  await open(`/s/${sessions[0]}`);
  await composer(pane(page, sessions[0])).waitFor();
  for (const session of sessions.slice(1)) {
    await sessionRow(page, session).click({ modifiers: ["ControlOrMeta"] });
    await composer(pane(page, session)).waitFor();
  }
  return sessions.map((session) => pane(page, session));
}

/** What the menu behind a row's "More" offers. */
export async function sessionAction(page, session, name) {
  const row = sessionRow(page, session);
  await row.hover();
  await row.getByRole("button", { name: names.more }).click();
  await menuItem(page, name).click();
}

/** An element's distance from the top of its scroll container's box, and the container's own state. */
export const scrollState = (pane) =>
  thread(pane).evaluate((box) => ({ top: box.scrollTop, fromBottom: box.scrollHeight - box.clientHeight - box.scrollTop, height: box.clientHeight }));

/** The row at the top of the view and where it stands in it. */
export const topRow = (pane) =>
  thread(pane).evaluate((box) => {
    const edge = box.getBoundingClientRect().top;
    const row = [...box.querySelectorAll("[data-row]")].find((one) => one.getBoundingClientRect().bottom > edge + 1);
    return row && { key: row.dataset.row, offset: row.getBoundingClientRect().top - edge };
  });

export const rowOffset = (pane, key) =>
  thread(pane).evaluate((box, key) => {
    const row = box.querySelector(`[data-row="${CSS.escape(key)}"]`);
    return row ? row.getBoundingClientRect().top - box.getBoundingClientRect().top : null;
  }, key);

/** Turns the wheel over a thread, as a reader does. */
export async function wheel(page, pane, dy) {
  await thread(pane).hover();
  await page.mouse.wheel(0, dy);
}

/** The width of the page's content does not exceed the window's. */
export const overflowsSideways = (page) => page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);

/** Types through an input method: the text stands underlined in the field until it is committed. */
export async function compose(page, text) {
  const session = await page.context().newCDPSession(page);
  await session.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
  return { commit: (whole = text) => session.send("Input.insertText", { text: whole }) };
}

/** An Enter as Safari sends it at the end of a composition: no longer composing, but with the key code of an input method. */
export const imeEnter = (locator, given) =>
  locator.evaluate((element, given) => element.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...given })), given);

/** Marks the elements, and counts later which of the marked are still there. */
export async function mark(locator) {
  const count = await locator.evaluateAll((elements) => elements.map((element) => (element.markedByStory = true)).length);
  return { count, left: () => locator.evaluateAll((elements) => elements.filter((element) => element.markedByStory).length) };
}

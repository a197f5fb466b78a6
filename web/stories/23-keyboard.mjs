/** Everything without a mouse, and nothing by accident. */
import { names } from "./names.mjs";
import { activePane, answers, button, compose, composer, ends, imeEnter, isGone, isShown, lastStatus, openBeside, pane, queue, rows, send } from "./page.mjs";

const shortcuts = {
  number: 23,
  name: "F6 cycles panes, Ctrl+K opens the palette in both languages, Ctrl+/ the shortcuts; none fires while typing without a modifier",
  async run({ page, server, open, expect }) {
    const [a, b, other] = [await server.session("Alpha"), await server.session("Beta"), await server.session("Gamma rays")];
    await openBeside(page, open, [a, b]);
    await composer(pane(page, b)).focus();
    const focused = async (session, how) => {
      await expect.soon(async () => (await activePane(page).getAttribute("data-session")) === session, `${how} to activate the other pane`);
      const inside = await pane(page, session).evaluate((element) => element.contains(document.activeElement));
      expect(inside, `${how} to bring the focus there`);
    };
    await page.keyboard.press("F6");
    await focused(a, "F6");
    await page.keyboard.press("F6");
    await focused(b, "F6 again");
    await page.keyboard.press("Shift+F6");
    await focused(a, "Shift+F6");

    const dialog = page.getByRole("dialog");
    await page.keyboard.press("Control+k");
    await isShown(dialog, "the palette to open");
    for (const words of ["settings", "设置"]) {
      await page.keyboard.press("Control+a");
      await page.keyboard.type(words);
      await isShown(dialog.getByRole("option").filter({ hasText: names.settings }).or(dialog.getByRole("option", { name: "设置" })), `${words} to find the settings`);
    }
    await page.keyboard.press("Control+a");
    await page.keyboard.type("gamma");
    await isShown(dialog.getByRole("option", { name: /Gamma rays/ }));
    await page.keyboard.press("Enter");
    await isGone(dialog);
    await composer(pane(page, other)).waitFor();

    await page.keyboard.press("Control+/");
    await isShown(dialog.getByText("F6").first(), "the shortcuts to be listed");
    await page.keyboard.press("Escape");
    await isGone(dialog);

    const field = composer(pane(page, other));
    await field.focus();
    await page.keyboard.type("k/?sn jfb");
    expect.equal(await field.inputValue(), "k/?sn jfb", "letters are letters while typing");
    expect.equal([await dialog.count(), await rows(pane(page, other)).count()], [0, 0], "none of them did anything else");
  },
};

const composing = {
  number: 24,
  name: "Enter sends, Shift+Enter breaks the line, Esc stops the focused pane only, ArrowUp edits the last message",
  async run({ page, server, upstream, open, expect }) {
    upstream.on("endless", [{ text: "On and on " }, { hang: true }]);
    const [a, b] = await openBeside(page, open, [await server.session("A"), await server.session("B")]);
    await composer(a).focus();
    await page.keyboard.type("two");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("lines");
    expect.equal(await composer(a).inputValue(), "two\nlines", "Shift+Enter breaks the line");
    await page.keyboard.press("Enter");
    await answers(a, "You said: two");
    await ends(a);
    expect.equal(upstream.requests.map((request) => request.lastUser), ["two\nlines"], "Enter sends it whole, once");

    expect.equal(await composer(a).inputValue(), "", "the composer is empty");
    await page.keyboard.press("ArrowUp");
    await expect.soon(async () => (await page.evaluate(() => document.activeElement.value)) === "two\nlines", "ArrowUp to bring the last message back for editing");
    await page.keyboard.press("Escape");

    await send(a, "endless a");
    await send(b, "endless b");
    await answers(a, "On and on");
    await answers(b, "On and on");
    await composer(b).press("Escape");
    await ends(b, "cancelled");
    expect.equal(await lastStatus(a), "streaming", "the other pane streams on");
    expect.equal(upstream.asked("endless a")[0].ended, null, "its upstream call too");
  },
};

const ime = {
  number: 25,
  name: "Enter during IME composition never sends",
  async run({ page, server, upstream, open, expect }) {
    const session = await server.session("输入法");
    await open(`/s/${session}`);
    const here = pane(page, session);
    const field = composer(here);
    await field.focus();
    const composition = await compose(page, "ni hao");
    await imeEnter(field, { isComposing: true, keyCode: 229 });
    await imeEnter(field, { isComposing: true, keyCode: 13 });
    await composition.commit("你好");
    await imeEnter(field, { isComposing: false, keyCode: 229 });
    expect.equal(await field.inputValue(), "你好", "what was composed stands in the field");
    await page.keyboard.type("！");
    await page.keyboard.press("Enter");
    await answers(here, "You said: 你好！");
    expect.equal(upstream.requests.map((request) => request.lastUser), ["你好！"], "only the Enter after the composition sends");
    expect.equal([await rows(here, "user").count(), await queue(here).count()], [1, 0], "there is one message");
  },
};

const controls = {
  number: 26,
  name: "separators move with arrow keys, Tab reaches every control with a visible focus, focus returns when a dialog closes",
  context: { reducedMotion: "reduce" },
  async run({ page, server, open, expect }) {
    const [a, b] = [await server.session("A"), await server.session("B")];
    await server.say(b, "hello");
    await openBeside(page, open, [a, b]);
    await answers(pane(page, b), "You said: hello");
    const separator = page.getByRole("separator", { name: names.separator }).first();
    await separator.focus();
    const value = async () => Number(await separator.getAttribute("aria-valuenow"));
    const before = await value();
    await separator.press("ArrowRight");
    await expect.soon(async () => (await value()) > before, "ArrowRight to move the separator");

    const { unseen, missed } = await tabThrough(page);
    expect.equal(missed, [], "Tab reaches every control");
    expect.equal(unseen, [], "the focus is visible on every control");

    const settings = button(page, names.settings);
    const openers = [["the settings' button", settings, "Enter"], ["Ctrl+K in the composer", composer(pane(page, a)), "Control+k"], ["Ctrl+/ on a button", settings, "Control+/"]];
    for (const [what, opener, key] of openers) {
      await opener.press(key);
      await isShown(page.getByRole("dialog"));
      await page.keyboard.press("Escape");
      await isGone(page.getByRole("dialog"));
      await expect.soon(() => opener.evaluate((element) => element === document.activeElement), `the focus to return to ${what}`);
    }
  },
};

/** Presses Tab round the page: controls that it misses, and controls on which the focus changes nothing to be seen. */
async function tabThrough(page) {
  await page.evaluate(async () => {
    // Styles are there when a frame has been painted and its transitions have ended: short as they are, a busy machine starts them late.
    const painted = async () => {
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      const transitions = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
      await Promise.allSettled(transitions.map((transition) => transition.finished));
    };
    document.activeElement.blur();
    await painted();
    const nameOf = (element) => `${element.tagName.toLowerCase()} ${element.getAttribute("aria-label") ?? element.textContent.trim().slice(0, 40)}`;
    const look = (element) => {
      const around = [element, element.parentElement, element.parentElement?.parentElement, ...element.children].filter(Boolean);
      return around.map((one) => getComputedStyle(one)).map(({ outline, boxShadow, borderColor, backgroundColor, opacity }) => [outline, boxShadow, borderColor, backgroundColor, opacity].join()).join();
    };
    const roving = '[role="menuitem"], [role="option"], [role="radio"], [role="tab"], [role="treeitem"]';
    const controls = [...document.querySelectorAll('button, a[href], input, textarea, select, [role="separator"], [role="button"]')].filter(
      (element) => !element.disabled && element.tabIndex >= 0 && !element.matches(roving) && element.getClientRects().length > 0,
    );
    window.story = { nameOf, look, painted, plain: new Map(controls.map((element) => [element, look(element)])), focused: new Set(), unseen: [] };
  });
  for (let press = 0; press < 250; press += 1) {
    await page.keyboard.press("Tab");
    const round = await page.evaluate(async () => {
      const { focused, look, nameOf, painted, plain, unseen } = window.story;
      await painted();
      const element = document.activeElement;
      if (focused.has(element)) return true;
      if (plain.get(element) === look(element)) unseen.push(nameOf(element));
      if (element !== document.body) focused.add(element);
      return false;
    });
    if (round) break;
  }
  return page.evaluate(() => {
    const { plain, focused, nameOf, unseen } = window.story;
    return { unseen, missed: [...plain.keys()].filter((element) => element.isConnected && !focused.has(element)).map(nameOf) };
  });
}

export const story = [shortcuts, composing, ime, controls];

/** Language, theme and size: switched at once, and whole. */
import { axe, sampleFrames } from "./measure.mjs";
import { names } from "./names.mjs";
import { answers, button, composer, isGone, isShown, overflowsSideways, pane, panes, prefer, send, sessionRow } from "./page.mjs";

async function choose(page, label) {
  await button(page, /^(settings|设置)/i).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(label, { exact: true }).click();
  await page.keyboard.press("Escape");
  await isGone(dialog);
}

/** The words of the page that are not what somebody wrote: names of controls and headings. */
const words = (page) =>
  page.evaluate(() => {
    const controls = [...document.querySelectorAll("button, [aria-label], [placeholder], [title], h1, h2, label")].filter((element) => !element.closest("[data-answer], [data-session-row]"));
    return [...new Set(controls.flatMap((one) => [one.getAttribute("aria-label"), one.getAttribute("placeholder"), one.title, one.matches("button, label") ? one.innerText : null]))].filter((text) => text?.trim());
  });

const language = {
  number: 34,
  name: "zh/en switches at once, without a reload and without an untranslated key; dates are localised; <html lang> follows",
  async run({ page, server, open, expect }) {
    const session = await server.session("标题");
    await server.say(session, "你好");
    await open(`/s/${session}`);
    await answers(pane(page, session), "You said: 你好");
    await page.evaluate(() => (window.sameDocument = true));
    expect.equal(await page.evaluate(() => document.documentElement.lang), "en", "the page begins in the browser's language");
    const english = await words(page);

    await choose(page, "中文");
    await expect.soon(() => page.evaluate(() => document.documentElement.lang === "zh-CN"), "<html lang> to follow");
    const chinese = await words(page);
    const own = /Turnwise|Scripted|scripted-1|echo|English|标题|中文|API|openapi\.json|Ctrl|Enter|Esc/gi;
    expect.equal(chinese.filter((text) => !/[\u4e00-\u9fff]/.test(text) && /[a-z]{3}/i.test(text.replace(own, ""))), [], "no English word is left");
    expect.equal(chinese.filter((text) => /^[a-z]+\.[a-zA-Z.]+$|undefined|\[object/.test(text)), [], "no key shows");
    expect.equal(english.filter((text) => /[\u4e00-\u9fff]/.test(text.replace(own, ""))), [], "no Chinese word was in English");
    expect.includes(await page.title(), "标题", "the title stays");
    const times = () => page.locator("time").evaluateAll((all) => all.map((time) => time.title || time.getAttribute("aria-label") || time.textContent));
    const inChinese = await times();
    await choose(page, "English");
    await expect.soon(() => page.evaluate(() => document.documentElement.lang === "en"), "<html lang> to follow back");
    const inEnglish = await times();
    expect(inChinese.length > 0 && inChinese.join() !== inEnglish.join(), `times to be localised, not ${inChinese} and ${inEnglish}`);
    expect(await page.evaluate(() => window.sameDocument), "no reload");
  },
};

const looks = {
  number: 35,
  name: "light, dark and system without a flash; enough contrast; reduced motion is respected; usable at 200 % zoom",
  async run({ page, server, upstream, open, visit, expect }) {
    upstream.on("look", [{ text: "# A heading\n\nText with `code`, a [link](https://example.com/) and a list:\n\n- one\n- two\n\n```js\nconst answer = 42; // why\n```\n\n> A quotation." }]);
    upstream.on("wait", [{ text: "Begun " }, { hang: true }]);
    const session = await server.session("Looks");
    await server.say(session, "look");
    const dark = (page) => page.evaluate(() => document.documentElement.dataset.theme === "dark");
    const luminance = () => {
      const [red = 255, green = 255, blue = 255, alpha = 1] = (getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
      return alpha === 0 ? 255 : (red + green + blue) / 3;
    };

    for (const [system, theme, isDark] of [["light", "dark", true], ["dark", "light", false], ["dark", "system", true], ["light", "system", false]]) {
      const visitor = await visit({ colorScheme: system });
      await prefer(visitor, { theme });
      await visitor.addInitScript(() => {
        window.themes = new Set();
        const look = () => {
          if (document.body) window.themes.add(document.documentElement.dataset.theme);
          requestAnimationFrame(look);
        };
        look();
      });
      await open(`/s/${session}`, visitor);
      await answers(pane(visitor, session), "A heading");
      expect.equal(await visitor.evaluate(() => [...window.themes]), [isDark ? "dark" : "light"], `${theme} on a ${system} system shows one theme from the first frame`);
      const light = await visitor.evaluate(luminance);
      expect(isDark ? light < 90 : light > 165, `${theme} on ${system} to look ${isDark ? "dark" : "light"}`);
      if (theme !== "system") expect.equal((await axe(visitor)).filter((finding) => finding.includes("contrast")), [], `contrast is enough in ${theme}`);
      if (theme === "system") {
        await visitor.emulateMedia({ colorScheme: isDark ? "light" : "dark" });
        await expect.soon(async () => (await dark(visitor)) !== isDark, "a change of the system's theme to be followed");
      }
      await visitor.context().close();
    }

    const calm = await visit({ reducedMotion: "reduce" });
    await open(`/s/${session}`, calm);
    const stop = await sampleFrames(calm, () => document.getAnimations().filter((one) => one.playState === "running" && one.effect.getComputedTiming().duration > 50).length);
    await send(pane(calm, session), "wait");
    await answers(pane(calm, session), "Begun");
    expect.equal(Math.max(...(await stop()).map(({ value }) => value)), 0, "nothing moves when motion is to be reduced");
    await button(pane(calm, session), names.stop).click();

    const zoomed = await visit({ viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 });
    await open(`/s/${session}`, zoomed);
    const field = composer(panes(zoomed).filter({ visible: true }));
    await isShown(field);
    const box = await field.boundingBox();
    expect(box.y + box.height <= 400 && box.x >= 0 && box.x + box.width <= 640, "the composer to be on the screen at 200 %");
    expect(!(await overflowsSideways(zoomed)), "nothing to overflow sideways at 200 %");
    await open(`/s/${session}`);
    await isShown(sessionRow(page, session));
  },
};

export const story = [language, looks];

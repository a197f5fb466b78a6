/** What a user prefers, kept in this browser. `public/theme.js` reads the same before the first paint. */
import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { Language } from "../i18n";

type Theme = "light" | "dark" | "system";

interface Settings {
  theme: Theme;
  language: Language;
  sidebar: boolean;
  /** Whether Enter sends; otherwise Ctrl/Cmd+Enter does. */
  enterSends: boolean;
  /** What names new sessions: a model, or the first line of their first message. */
  titles: "model" | "first_line";
}

const firstLanguage = (): Language => (globalThis.navigator?.language.toLowerCase().startsWith("zh") ? "zh-CN" : "en");

export const useSettings = create<Settings>()(
  persist((): Settings => ({ theme: "system", language: firstLanguage(), sidebar: true, enterSends: true, titles: "model" }), {
    name: "turnwise.settings",
  }),
);

const darkness = typeof matchMedia === "function" ? matchMedia("(prefers-color-scheme: dark)") : null;

function show({ theme, language }: Settings): void {
  const dark = theme === "dark" || (theme === "system" && darkness?.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.documentElement.lang = language;
}

export function startSettings(): void {
  show(useSettings.getState());
  useSettings.subscribe(show);
  darkness?.addEventListener("change", () => show(useSettings.getState()));
  // Another tab of this browser changed them.
  window.addEventListener("storage", (event) => {
    if (event.key === "turnwise.settings") void useSettings.persist.rehydrate();
  });
}

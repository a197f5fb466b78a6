/** The page's words. A key that one language lacks does not compile. */
import { en } from "./en";
import { useSettings } from "../settings/store";
import { zh } from "./zh";

export type Words = typeof en;
export type Language = "en" | "zh-CN";

export const words: Record<Language, Words> = { en, "zh-CN": zh };

export const useWords = (): Words => words[useSettings((settings) => settings.language)];
/** For what runs outside of a component. */
export const currentWords = (): Words => words[useSettings.getState().language];

/** Shiki with its JavaScript engine: no wasm, no eval. Loaded when the first code block with a known language is seen. */
import { createCssVariablesTheme, createHighlighterCore, type GrammarState } from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";
import { loadLanguage } from "./languages";

export interface Token {
  text: string;
  /** A CSS variable: the theme may change without the code being read again. */
  color: string | undefined;
}
export interface Stretch {
  lines: Token[][];
  state: GrammarState | undefined;
}

/** The first line of a language also pays for making its expressions. */
const LINE_MS_MAX = 250;

const theme = createCssVariablesTheme({ name: "tokens", variablePrefix: "--code-", fontStyle: false });
const highlighter = createHighlighterCore({ themes: [theme], langs: [], engine: createJavaScriptRegexEngine({ forgiving: true }) });

/** Colours whole lines, going on from where an earlier stretch ended. */
export async function tokenizer(language: string): Promise<(lines: string, before: GrammarState | undefined) => Stretch> {
  const shiki = await highlighter;
  if (!shiki.getLoadedLanguages().includes(language)) await shiki.loadLanguage(await loadLanguage(language));
  return (lines, before) => {
    const { tokens, grammarState } = shiki.codeToTokens(lines, {
      lang: language,
      theme: "tokens",
      tokenizeMaxLineLength: 1000,
      tokenizeTimeLimit: LINE_MS_MAX,
      ...(before ? { grammarState: before } : {}),
    });
    return { lines: tokens.map((line) => line.map(({ content, color }) => ({ text: content, color }))), state: grammarState };
  };
}

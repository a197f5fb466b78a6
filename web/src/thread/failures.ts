import type { Failure } from "~/api/types";
import type { Words } from "~/i18n";

/** What to do about a failure, in the page's words; `null` where only the server's message tells. */
export const cureOf = (error: Failure | null, words: Words["thread"]): string | null =>
  error && Object.hasOwn(words.cures, error.code) ? words.cures[error.code as keyof typeof words.cures] : null;

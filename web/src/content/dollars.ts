/** Mathematics in markdown: `$n$` by Pandoc's rules, so that prices stay prose, `$$n$$`, and what `brackets` knows. */
import type { Code, Construct, Effects, Extension, State, TokenizeContext } from "micromark-util-types";
import remarkMath from "remark-math";
import type { Processor } from "unified";
import { bracketed } from "./brackets";

const DOLLAR = 36;
const BACKSLASH = 92;

/** What stands between two single dollars is maths, not prices: not spaced, not escaped, not before a digit, not plain words. */
function isMaths(tex: string, after: string): boolean {
  if (/^\s|[\s\\]$|`/.test(tex) || /^\d/.test(after)) return false;
  return /[\\^_{}=<>+]/.test(tex) || !/\p{L}{2,}\s|\s\p{L}{3,}|\p{Script=Han}/u.test(tex);
}

function careful(maths: Construct): Construct {
  return {
    ...maths,
    tokenize(this: TokenizeContext, effects: Effects, ok: State, nok: State): State {
      const from = this.now();
      const checked = (code: Code) => {
        const whole = this.sliceSerialize({ start: from, end: this.now() });
        const after = code !== null && code > 0 ? String.fromCharCode(code) : "";
        return whole.startsWith("$$") || isMaths(whole.slice(1, -1), after) ? ok(code) : nok(code);
      };
      return maths.tokenize.call(this, effects, checked, nok);
    },
  };
}

export function remarkDollars(this: Processor): void {
  remarkMath.call(this as Processor & Parameters<typeof remarkMath>[never]);
  const extensions = (this.data() as { micromarkExtensions?: Extension[] }).micromarkExtensions ?? [];
  const maths = extensions.pop();
  const single = maths?.text?.[DOLLAR];
  if (single && !Array.isArray(single)) extensions.push({ ...maths, text: { [DOLLAR]: careful(single), [BACKSLASH]: bracketed } });
}

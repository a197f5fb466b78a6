/** `\(n\)` and `\[n\]`: mathematics as many models write it, told in the tokens that dollars give. */
import type {} from "micromark-extension-math";
import type { Construct, State } from "micromark-util-types";

const BACKSLASH = 92;
const OPENING = [40, 91];
const closingOf = (opening: number): number => (opening === 40 ? 41 : 93);
const endsLine = (code: number): boolean => code < -2;

/** A backslash and one of `codes`. */
const escaped = (codes: number[]): Construct => ({
  partial: true,
  tokenize(effects, ok, nok) {
    const mark: State = (code) => {
      if (code === null || !codes.includes(code)) return nok(code);
      effects.consume(code);
      effects.exit("mathTextSequence");
      return ok;
    };
    return (code) => {
      effects.enter("mathTextSequence");
      effects.consume(code);
      return mark;
    };
  },
});

export const bracketed: Construct = {
  name: "mathBracketed",
  tokenize(effects, ok, nok) {
    let closing = closingOf(40);

    const opener: State = (code) => {
      if (code === null || !OPENING.includes(code)) return nok(code);
      closing = closingOf(code);
      effects.consume(code);
      effects.exit("mathTextSequence");
      return between;
    };
    const between: State = (code) => {
      if (code === null) return nok(code);
      if (endsLine(code)) {
        effects.enter("lineEnding");
        effects.consume(code);
        effects.exit("lineEnding");
        return between;
      }
      effects.enter("mathTextData");
      return data(code);
    };
    const data: State = (code) => {
      if (code === null || endsLine(code)) {
        effects.exit("mathTextData");
        return between(code);
      }
      // Another opening ends the attempt: without that, many of them unclosed would take quadratic time.
      if (code === BACKSLASH) return effects.check(escaped([closing]), close, effects.check(escaped(OPENING), nok, escape))(code);
      effects.consume(code);
      return data;
    };
    const escape: State = (code) => {
      effects.consume(code);
      return afterEscape;
    };
    const afterEscape: State = (code) => {
      if (code !== BACKSLASH) return data(code);
      effects.consume(code);
      return data;
    };
    const close: State = (code) => {
      effects.exit("mathTextData");
      return effects.attempt(escaped([closing]), finish, nok)(code);
    };
    const finish: State = (code) => {
      effects.exit("mathText");
      return ok(code);
    };

    return (code) => {
      effects.enter("mathText");
      effects.enter("mathTextSequence");
      effects.consume(code);
      return opener;
    };
  },
};

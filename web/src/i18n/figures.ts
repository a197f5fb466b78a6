/** Numbers and times as people read them. Pure. */
import type { Language } from ".";

export const count = (value: number, language: Language): string => new Intl.NumberFormat(language).format(value);

/** `25 ms`, `0.8 s`, `12 s`, `3 min 5 s`. */
export function duration(ms: number, language: Language): string {
  const unit = (value: number, name: "millisecond" | "second" | "minute", digits = 0) =>
    new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: name === "second" ? "narrow" : "short", maximumFractionDigits: digits }).format(value);
  if (ms < 95) return unit(ms, "millisecond");
  const seconds = ms / 1000;
  if (seconds < 9.95) return spaced(unit(seconds, "second", 1));
  if (seconds < 59.5) return spaced(unit(seconds, "second"));
  const whole = Math.round(seconds);
  return spaced(`${unit(Math.floor(whole / 60), "minute")} ${unit(whole % 60, "second")}`);
}

const spaced = (text: string): string => text.replace(/(\d)s/g, "$1 s");

export const time = (at: string, language: Language): string => new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" }).format(new Date(at));
export const moment = (at: string, language: Language): string => new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "medium" }).format(new Date(at));

/** The day's name: `today` and `yesterday` by their words. */
export function day(at: string, now: Date, language: Language): string {
  const then = new Date(at);
  const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((midnight(then) - midnight(now)) / 86_400_000);
  if (days === 0 || days === -1) {
    const name = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(days, "day");
    return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
  }
  const year = then.getFullYear() === now.getFullYear() ? {} : { year: "numeric" as const };
  return new Intl.DateTimeFormat(language, { weekday: "long", month: "long", day: "numeric", ...year }).format(then);
}

/** A config as the fields of a form, and what of it has changed. Pure. */
import type { Config, ConfigChange } from "~/api/types";
import { NO_MODEL } from "./state";

export interface Form {
  name: string;
  model: string;
  /** Only ever a new key: the stored one is not told. */
  api_key: string;
  base_url: string;
  system: string;
  temperature: string;
  params: string;
  messages: string;
  tokens: string;
}

/** What is wrong with a field, by the name that the server uses for it. */
export type Problem = "required" | "params" | "temperature" | "messages" | "tokens";
type Problems = Partial<Record<string, Problem>>;

export const BOUNDS: Record<"temperature" | "messages" | "tokens", [number, number]> = {
  temperature: [0, 2],
  messages: [1, 1000],
  tokens: [100, 10_000_000],
};

export function formOf(config: Config, presetUrl: string | null | undefined): Form {
  const { temperature, ...params } = config.params as Record<string, unknown>;
  const number = typeof temperature === "number";
  const rest = number ? params : (config.params as Record<string, unknown>);
  return {
    name: config.name,
    model: config.model === NO_MODEL ? "" : config.model,
    api_key: "",
    base_url: config.base_url && config.base_url !== presetUrl ? config.base_url : "",
    system: config.system ?? "",
    temperature: number ? String(temperature) : "",
    params: Object.keys(rest).length > 0 ? JSON.stringify(rest, null, 2) : "",
    messages: String(config.window.messages ?? ""),
    tokens: String(config.window.tokens ?? ""),
  };
}

/** The change that leads from one form to the other, or what is wrong with the new one. */
export function changeOf(before: Form, after: Form): { change: ConfigChange; problems: Problems } {
  const problems: Problems = {};
  const change: ConfigChange = {};
  const differs = (...fields: (keyof Form)[]) => fields.some((field) => before[field].trim() !== after[field].trim());
  for (const field of ["name", "model"] as const) {
    // A key may be stored before there is a model: only then the list of models can be had.
    if (after[field].trim() === "") {
      if (before[field] !== "") problems[field] = "required";
    } else if (differs(field)) change[field] = after[field].trim();
  }
  if (after.api_key.trim()) change.api_key = after.api_key.trim();
  if (differs("base_url")) change.base_url = after.base_url.trim() || null;
  if (differs("system")) change.system = after.system.trim() ? after.system : null;

  const numbers = { temperature: bounded(after, "temperature"), messages: bounded(after, "messages"), tokens: bounded(after, "tokens") };
  if (Number.isNaN(numbers.temperature)) problems.temperature = "temperature";
  if (Number.isNaN(numbers.messages)) problems["window.messages"] = "messages";
  if (Number.isNaN(numbers.tokens)) problems["window.tokens"] = "tokens";
  if (differs("messages", "tokens")) change.window = { messages: numbers.messages, tokens: numbers.tokens };

  const params = objectOf(after.params);
  if (!params) problems.params = "params";
  else if (differs("temperature", "params")) {
    const { temperature } = numbers;
    change.params = (temperature === null ? params : { ...params, temperature }) as Record<string, never>;
  }
  return { change, problems };
}

/** A number within its bounds, `null` for nothing, `NaN` for anything else. */
function bounded(form: Form, field: keyof typeof BOUNDS): number | null {
  const text = form[field].trim();
  if (text === "") return null;
  const number = Number(text);
  const [low, high] = BOUNDS[field];
  const whole = field === "temperature" || Number.isInteger(number);
  return whole && number >= low && number <= high ? number : Number.NaN;
}

function objectOf(text: string): Record<string, unknown> | null {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Whether a config can answer, as far as one can tell without asking its upstream. Pure. */
import type { Config, Provider } from "~/api/types";

type ConfigState = "ready" | "no_key" | "no_model";

/** Stands for the model of a config whose key is stored before a model has been chosen. */
export const NO_MODEL = "-";

export const isEcho = (config: Pick<Config, "provider">): boolean => config.provider === "echo";

/** A server of one's own may do without a key; the vendor's own never does. */
export function needsKey(provider: Provider | undefined, baseUrl: string | null | undefined): boolean {
  if (!provider?.needs_key) return false;
  return !baseUrl || originOf(baseUrl) === originOf(provider.base_url ?? "");
}

export function stateOf(config: Config, providers: Provider[]): ConfigState {
  const provider = providers.find((one) => one.id === config.provider);
  if (!config.has_key && needsKey(provider, config.base_url)) return "no_key";
  return config.model === NO_MODEL ? "no_model" : "ready";
}

/** A key that is wrong or missing, as a failed call names it. */
export const isKeyFailure = (code: string): code is "upstream_key_rejected" | "config_key_missing" =>
  code === "upstream_key_rejected" || code === "config_key_missing";

/** Nothing that calls a model is the default yet. */
export const echoIsDefault = (configs: Config[]): boolean => configs.every((config) => !config.default || isEcho(config));

/** The config that a session uses: the default one where it names none. One that was deleted is not replaced in silence. */
export const configOf = (configs: Config[], id: string | null | undefined): Config | undefined =>
  id ? configs.find((one) => one.id === id) : (configs.find((one) => one.default) ?? configs[0]);

export function originOf(url: string): string | null {
  try {
    return new URL(url).origin;
  } catch {
    return null;
  }
}

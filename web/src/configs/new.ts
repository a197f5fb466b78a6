/** What a new config says, made of the least that a user has to enter. Pure. */
import type { NewConfig, Provider } from "~/api/types";
import { NO_MODEL, needsKey } from "./state";

interface Entered {
  key: string;
  address: string;
  /** The key stands in the server's environment. */
  fromServer: boolean;
}

/** `null`: it cannot work without a key. */
export function newConfig(provider: Provider, { key, address, fromServer }: Entered): NewConfig | null {
  const url = address.trim();
  const given = key.trim();
  const env = fromServer && provider.key_env ? provider.key_env : null;
  if (!given && !env && needsKey(provider, url)) return null;
  return {
    name: provider.name,
    provider: provider.id,
    model: provider.model && !elsewhere(provider, url) ? provider.model : NO_MODEL,
    ...(url ? { base_url: url } : {}),
    ...(env ? { api_key_env: env } : given ? { api_key: given } : {}),
  };
}

/** Another server hardly has the vendor's model. */
const elsewhere = (provider: Provider, url: string): boolean => url !== "" && url !== provider.base_url;

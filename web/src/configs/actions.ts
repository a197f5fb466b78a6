/** What a user can do to a config. */
import { ApiError, api, ask, newId } from "~/api/client";
import type { Config, ConfigChange, NewConfig } from "~/api/types";
import { currentWords } from "~/i18n";
import { toast } from "~/ui/toasts";
import { configsChanged, configsNow, keepTest, queries, runTest } from "./queries";
import { echoIsDefault } from "./state";

const path = (id: string) => ({ params: { path: { id } } });

export async function createConfig(body: NewConfig): Promise<Config> {
  const made = await ask(api.POST("/configs", { body, headers: { "Idempotency-Key": newId() } }));
  await configsChanged();
  return made;
}

export async function changeConfig(id: string, body: ConfigChange): Promise<Config> {
  const changed = await ask(api.PATCH("/configs/{id}", { ...path(id), body }));
  await configsChanged();
  // Another key may see other models.
  if (body.api_key !== undefined) void queries.invalidateQueries({ queryKey: ["config-models", id] });
  return changed;
}

/** Tests a config. The first one that answers takes the place of the echo as the default: what never answered does not. */
export async function tryConfig(config: Config): Promise<void> {
  const test = await runTest(config);
  if (!test.ok || !echoIsDefault(configsNow())) return;
  const changed = await ask(api.PATCH("/configs/{id}", { ...path(config.id), body: { default: true } }));
  keepTest(changed, test);
  await configsChanged();
  toast(currentWords().configs.becameDefault(changed.name));
}

export async function deleteConfig(id: string): Promise<void> {
  await ask(api.DELETE("/configs/{id}", path(id)));
  await configsChanged();
}

/** Where an error belongs in a form: the field it names, or `""` for the form as a whole. */
export function fieldOf(cause: unknown, fields: readonly string[]): { field: string; message: string } {
  if (!(cause instanceof ApiError)) throw cause;
  const field = cause.param && fields.includes(cause.param) ? cause.param : "";
  return { field, message: cause.message };
}

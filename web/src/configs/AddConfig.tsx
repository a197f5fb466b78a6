/** A new config in as few steps as can be: choose a provider, paste a key; the rest follows once it is saved. */
import { ExternalLink } from "lucide-react";
import { type FormEvent, useState } from "react";
import type { Provider } from "~/api/types";
import { useWords } from "~/i18n";
import { Button } from "~/ui/Button";
import { createConfig, fieldOf, tryConfig } from "./actions";
import { Field, inputLook } from "./Field";
import { newConfig } from "./new";
import { useProviders } from "./queries";
import { isEcho, NO_MODEL } from "./state";

const FIELDS = ["provider", "api_key", "base_url"] as const;

export function AddConfig({ onMade }: { onMade: (id: string) => void }) {
  const words = useWords().configs;
  const providers = useProviders().filter((one) => !isEcho({ provider: one.id }));
  const [chosen, setChosen] = useState("openai");
  const provider = providers.find((one) => one.id === chosen);
  return (
    <div className="flex flex-col gap-4" data-add-form="">
      <Field label={words.provider} hint={chosen === "openai" ? words.providerHint : null}>
        {(field) => (
          <select {...field} name="provider" value={chosen} onChange={(event) => setChosen(event.target.value)} className={inputLook}>
            {providers.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {provider && <Access key={provider.id} provider={provider} onMade={onMade} />}
    </div>
  );
}

function Access({ provider, onMade }: { provider: Provider; onMade: (id: string) => void }) {
  const words = useWords().configs;
  const [key, setKey] = useState("");
  const [address, setAddress] = useState("");
  const [fromServer, setFromServer] = useState(provider.key_env_set);
  const [error, setError] = useState<{ field: string; message: string } | null>(null);
  const [saving, setSaving] = useState(false);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const body = newConfig(provider, { key, address, fromServer });
    if (!body) return setError({ field: "api_key", message: words.required });
    setSaving(true);
    setError(null);
    try {
      const made = await createConfig(body);
      if (made.model !== NO_MODEL) void tryConfig(made).catch(() => undefined);
      onMade(made.id);
    } catch (cause) {
      setSaving(false);
      setError(fieldOf(cause, FIELDS));
    }
  };
  const at = (field: string) => (error?.field === field ? error.message : undefined);
  const keyHint = provider.needs_key ? provider.keys_url && <KeysLink url={provider.keys_url} /> : words.keyOptional;
  return (
    <form className="flex flex-col gap-4" onSubmit={(event) => void save(event)} noValidate>
      {provider.key_env_set && provider.key_env && (
        <label className="flex items-center gap-2 text-sm">
          <input type="checkbox" name="from_server" className="size-4 accent-accent" checked={fromServer} onChange={(event) => setFromServer(event.target.checked)} />
          {words.keyFromServer(provider.key_env)}
        </label>
      )}
      {!fromServer && (
        <Field label={words.keyFor(provider.name)} hint={keyHint} error={at("api_key")}>
          {(field) => (
            <input {...field} name="api_key" type="password" autoComplete="off" spellCheck={false} autoFocus={provider.needs_key} value={key} onChange={(event) => setKey(event.target.value)} className={inputLook} />
          )}
        </Field>
      )}
      {(!provider.needs_key || provider.id === "openai") && (
        <Field label={words.address} hint={words.addressHint(provider.base_url ?? "")} error={at("base_url")}>
          {(field) => (
            <input {...field} name="base_url" type="url" placeholder={provider.base_url ?? ""} value={address} onChange={(event) => setAddress(event.target.value)} className={inputLook} />
          )}
        </Field>
      )}
      {at("") ?? at("provider") ? (
        <p role="alert" data-error="" className="text-sm text-danger">
          {error?.message}
        </p>
      ) : null}
      <Button type="submit" look="solid" className="self-start" disabled={saving}>
        {saving ? words.saving : words.saveAndTest}
      </Button>
    </form>
  );
}

export function KeysLink({ url }: { url: string }) {
  const words = useWords().configs;
  return (
    <a href={url} target="_blank" rel="noreferrer noopener" className="inline-flex items-center gap-1 text-accent underline">
      {words.keyFrom}
      <ExternalLink aria-hidden className="size-3" />
    </a>
  );
}

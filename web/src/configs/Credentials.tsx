/** Where a config's upstream is, and the key for it. A stored key is never shown, only that there is one. */
import type { Config, Provider } from "~/api/types";
import { useWords } from "~/i18n";
import { KeysLink } from "./AddConfig";
import { Field, inputLook } from "./Field";
import type { Form } from "./form";
import { needsKey, originOf } from "./state";

interface Props {
  config: Config;
  provider: Provider | undefined;
  form: Form;
  keyError: string | undefined;
  addressError: string | undefined;
  set: (change: Partial<Form>) => void;
}

export function Credentials({ config, provider, form, keyError, addressError, set }: Props) {
  const words = useWords().configs;
  const preset = provider?.base_url ?? "";
  const moved = config.has_key && originOf(form.base_url || preset) !== originOf(config.base_url ?? preset);
  const missing = needsKey(provider, form.base_url);
  const keyHint = config.has_key ? (config.api_key_env ? words.keyFromServer(config.api_key_env) : words.keyStored) : missing ? words.keyMissing : words.keyOptional;
  return (
    <>
      <Field
        label={words.key}
        error={keyError}
        hint={
          <span data-key={config.has_key ? "stored" : "none"}>
            {keyHint} {missing && !config.has_key && provider?.keys_url && <KeysLink url={provider.keys_url} />}
          </span>
        }
      >
        {(field) => (
          <input
            {...field}
            name="api_key"
            type="password"
            autoComplete="off"
            spellCheck={false}
            autoFocus={missing && !config.has_key}
            value={form.api_key}
            onChange={(event) => set({ api_key: event.target.value })}
            className={inputLook}
          />
        )}
      </Field>
      <Field label={words.address} error={addressError} hint={moved ? <span className="text-warn">{words.addressMoved}</span> : preset && words.addressHint(preset)}>
        {(field) => (
          <input {...field} name="base_url" type="url" placeholder={preset} value={form.base_url} onChange={(event) => set({ base_url: event.target.value })} className={inputLook} />
        )}
      </Field>
    </>
  );
}

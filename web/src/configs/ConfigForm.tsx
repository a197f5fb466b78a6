/** One config: its model, its key and everything else, saved when asked, tested when what it calls has changed. */
import { type FormEvent, useEffect, useRef, useState } from "react";
import { ApiError } from "~/api/client";
import type { Config } from "~/api/types";
import { closeDialog } from "~/app/dialog";
import { useWords } from "~/i18n";
import { count } from "~/i18n/figures";
import { useSettings } from "~/settings/store";
import { Button } from "~/ui/Button";
import { toast, toastError } from "~/ui/toasts";
import { changeConfig, fieldOf, tryConfig } from "./actions";
import { Advanced } from "./Advanced";
import { Credentials } from "./Credentials";
import { DeleteConfig } from "./DeleteConfig";
import { Field, inputLook } from "./Field";
import { BOUNDS, changeOf, type Form, formOf, type Problem } from "./form";
import { ModelField } from "./ModelField";
import { useModels, useProviders, useTest } from "./queries";
import { isEcho, isKeyFailure, NO_MODEL, stateOf } from "./state";
import { TestResult } from "./TestResult";
import { Uses } from "./Uses";

const FIELDS = ["name", "model", "api_key", "base_url", "system", "params", "temperature", "window.messages", "window.tokens"] as const;

export function ConfigForm({ config }: { config: Config }) {
  const words = useWords();
  const language = useSettings((settings) => settings.language);
  const providers = useProviders();
  const provider = providers.find((one) => one.id === config.provider);
  const before = formOf(config, provider?.base_url);
  const [changed, setChanged] = useState<Partial<Form>>({});
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [saving, setSaving] = useState(false);
  const test = useTest(config);
  const models = useModels(config, !isEcho(config) && stateOf(config, providers) !== "no_key");
  const form = { ...before, ...changed };
  const set = (change: Partial<Form>) => setChanged((old) => ({ ...old, ...change }));
  const dirty = (Object.keys(changed) as (keyof Form)[]).some((field) => changed[field] !== before[field]);
  const failure = (test.isFetching ? null : test.data?.error?.code) ?? (!models.isFetching && models.error instanceof ApiError ? models.error.code : null);
  const keyFailure = failure && isKeyFailure(failure) ? failure : null;
  const keyError = errors.api_key ?? (keyFailure && form.api_key === "" ? words.configs.failures[keyFailure] : undefined);

  // Once it is known what is lacking, that field has the focus, unless the user is writing already.
  const lacking = keyFailure ? "api_key" : models.data && form.model === "" ? "model" : null;
  const element = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (lacking && !dirty) element.current?.querySelector<HTMLElement>(`[name=${lacking}]`)?.focus();
    // What is written later is no reason to move the focus.
  }, [lacking]);

  const sayProblem = (problem: Problem): string => {
    if (problem === "required") return words.configs.required;
    if (problem === "params") return words.configs.paramsInvalid;
    const [low, high] = BOUNDS[problem];
    return words.configs.numberInvalid(count(low, language), count(high, language));
  };
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const { change, problems } = changeOf(before, form);
    setErrors(Object.fromEntries(Object.entries(problems).map(([field, problem]) => [field, sayProblem(problem!)])));
    if (Object.keys(problems).length > 0) return;
    if (Object.keys(change).length === 0) return toast(words.configs.nothingChanged);
    setSaving(true);
    try {
      const saved = await changeConfig(config.id, change);
      setChanged({});
      toast(words.configs.saved);
      if (!isEcho(saved) && saved.model !== NO_MODEL) void tryConfig(saved).catch(toastError);
    } catch (cause) {
      const { field, message } = fieldOf(cause, FIELDS);
      setErrors({ [field]: message });
    } finally {
      setSaving(false);
    }
  };

  return (
    <form ref={element} className="flex flex-col gap-4" data-config-form={config.id} onSubmit={(event) => void save(event)} noValidate>
      <TestResult testing={test.isFetching} result={test.data} error={test.error} />
      {!isEcho(config) && <ModelField value={form.model} error={errors.model} models={models} onChange={(model) => set({ model })} />}
      <Field label={words.configs.name} error={errors.name}>
        {(field) => <input {...field} name="name" value={form.name} maxLength={100} onChange={(event) => set({ name: event.target.value })} className={inputLook} />}
      </Field>
      {!isEcho(config) && <Credentials config={config} provider={provider} form={form} keyError={keyError} addressError={errors.base_url} set={set} />}
      <Advanced form={form} errors={errors} set={set} />
      <Uses config={config} />
      {errors[""] && (
        <p role="alert" data-error="" className="text-sm text-danger">
          {errors[""]}
        </p>
      )}
      <footer className="flex flex-wrap items-center gap-2 border-t border-line pt-4">
        {dirty ? (
          <Button type="submit" look="solid" disabled={saving}>
            {saving ? words.configs.saving : isEcho(config) ? words.app.save : words.configs.saveAndTest}
          </Button>
        ) : (
          <Button look="solid" onClick={closeDialog}>
            {words.configs.done}
          </Button>
        )}
        {!dirty && !isEcho(config) && config.model !== NO_MODEL && (
          <Button disabled={test.isFetching} onClick={() => void tryConfig(config).catch(() => undefined)}>
            {words.configs.test}
          </Button>
        )}
        <DeleteConfig config={config} />
      </footer>
    </form>
  );
}

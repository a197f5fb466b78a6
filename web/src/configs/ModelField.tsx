/** The model's name: chosen from what the upstream offers, or typed. */
import type { UseQueryResult } from "@tanstack/react-query";
import { useId } from "react";
import { ApiError } from "~/api/client";
import { useWords } from "~/i18n";
import { Field, inputLook } from "./Field";
import { isKeyFailure } from "./state";

interface Props {
  value: string;
  error: string | undefined;
  models: UseQueryResult<string[]>;
  onChange: (model: string) => void;
}

export function ModelField({ value, error, models, onChange }: Props) {
  const words = useWords().configs;
  const list = useId();
  const hint = models.isFetching ? words.modelsLoading : models.isError ? <Unlisted cause={models.error} /> : models.data ? words.modelHint(models.data.length) : null;
  return (
    <Field label={words.model} hint={hint} error={error}>
      {(field) => (
        <>
          <input {...field} name="model" list={list} placeholder={words.choose} autoFocus={value === ""} autoComplete="off" spellCheck={false} value={value} onChange={(event) => onChange(event.target.value)} className={inputLook} />
          <datalist id={list} data-models={models.data?.length ?? ""}>
            {models.data?.map((model) => (
              <option key={model} value={model} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

/** Why there is no list, and that there is a way without it. What is wrong with the key stands there. */
function Unlisted({ cause }: { cause: Error }) {
  const words = useWords().configs;
  const failures: Record<string, string> = words.failures;
  return (
    <span data-models="failed">
      {cause instanceof ApiError && !isKeyFailure(cause.code) && failures[cause.code] && <span className="text-danger">{failures[cause.code]} </span>}
      {words.modelsFailed}
    </span>
  );
}

/** What goes along with every request of a config. Folded: most never need it. */
import { useWords } from "~/i18n";
import { Field, inputLook } from "./Field";
import { BOUNDS, type Form } from "./form";

interface Props {
  form: Form;
  errors: Record<string, string>;
  set: (change: Partial<Form>) => void;
}

const FIELDS = ["system", "params", "temperature", "window.messages", "window.tokens"];

export function Advanced({ form, errors, set }: Props) {
  const words = useWords().configs;
  const wrong = FIELDS.some((field) => errors[field]);
  return (
    <details data-advanced="" {...(wrong ? { open: true } : {})}>
      <summary className="cursor-pointer text-sm font-medium">{words.advanced}</summary>
      <div className="mt-3 flex flex-col gap-4">
        <Field label={words.system} hint={words.systemHint} error={errors.system}>
          {(field) => (
            <textarea {...field} name="system" rows={3} value={form.system} onChange={(event) => set({ system: event.target.value })} className={`${inputLook} max-h-60 min-h-20 resize-y`} />
          )}
        </Field>
        <div className="grid gap-4 sm:grid-cols-3">
          <Numeric name="temperature" label={words.temperature} error={errors.temperature} form={form} set={set} />
          <Numeric name="messages" label={words.windowMessages} hint={words.windowHint} error={errors["window.messages"]} form={form} set={set} />
          <Numeric name="tokens" label={words.windowTokens} hint={words.windowHint} error={errors["window.tokens"]} form={form} set={set} />
        </div>
        <Field label={words.params} hint={words.paramsHint} error={errors.params}>
          {(field) => (
            <textarea {...field} name="params" rows={3} spellCheck={false} value={form.params} onChange={(event) => set({ params: event.target.value })} className={`${inputLook} font-mono`} />
          )}
        </Field>
      </div>
    </details>
  );
}

interface NumericProps {
  name: keyof typeof BOUNDS;
  label: string;
  hint?: string;
  error: string | undefined;
  form: Form;
  set: Props["set"];
}

/** A text field with a keyboard for numbers: what is not one is said, not swallowed. */
function Numeric({ name, label, hint, error, form, set }: NumericProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(field) => (
        <input {...field} name={name} inputMode="decimal" value={form[name]} onChange={(event) => set({ [name]: event.target.value })} className={inputLook} />
      )}
    </Field>
  );
}

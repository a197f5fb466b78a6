/** One of a few choices, side by side: native radio buttons, so that arrow keys work as everywhere. */
import { useId } from "react";

interface Props<T extends string> {
  label: string;
  hint?: string;
  value: T;
  choices: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}

export function Segmented<T extends string>({ label, hint, value, choices, onChange }: Props<T>) {
  const name = useId();
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="mb-1.5 text-sm font-medium">{label}</legend>
      <div className="inline-flex flex-wrap self-start rounded-lg border border-line p-0.5">
        {choices.map(([choice, text]) => (
          <label
            key={choice}
            data-choice={choice}
            className="cursor-pointer rounded-md px-3 py-1 text-sm text-muted hover:text-text has-checked:bg-accent has-checked:text-on-accent has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent"
          >
            <input type="radio" name={name} value={choice} checked={choice === value} onChange={() => onChange(choice)} className="sr-only" />
            {text}
          </label>
        ))}
      </div>
      {hint && <p className="text-xs text-muted">{hint}</p>}
    </fieldset>
  );
}

/** A labelled field with its hint and its error. */
import { type ReactNode, useId } from "react";

interface Props {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  children: (field: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => ReactNode;
}

export function Field({ label, hint, error, children }: Props) {
  const id = useId();
  const described = `${id}-hint`;
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children({ id, "aria-describedby": described, "aria-invalid": error !== undefined })}
      <p id={described} className="text-xs text-muted empty:hidden">
        {error ? (
          <span role="alert" data-error="" className="text-danger">
            {error}
          </span>
        ) : (
          hint
        )}
      </p>
    </div>
  );
}

export const inputLook =
  "w-full min-w-0 rounded-lg border border-line bg-ground px-3 py-1.5 text-sm text-text placeholder:text-muted aria-invalid:border-danger";

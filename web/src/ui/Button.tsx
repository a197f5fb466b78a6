/** Buttons: with words, or with a picture alone. */
import type { ComponentProps, ReactNode } from "react";

type Look = "plain" | "solid" | "danger" | "outline";

const looks: Record<Look, string> = {
  plain: "text-muted hover:bg-hover hover:text-text",
  solid: "bg-accent text-on-accent hover:opacity-90",
  danger: "text-danger hover:bg-danger-soft",
  outline: "border border-line text-text hover:bg-hover",
};

export function Button({ look = "outline", className = "", ...rest }: ComponentProps<"button"> & { look?: Look }) {
  return (
    <button
      type="button"
      className={`inline-flex h-8 items-center justify-center gap-1.5 rounded-lg px-3 text-sm font-medium whitespace-nowrap disabled:opacity-50 ${looks[look]} ${className}`}
      {...rest}
    />
  );
}

/** A button that shows only a picture: its name is for screen readers and the tooltip. */
export function IconButton({ name, children, className = "", ...rest }: ComponentProps<"button"> & { name: string; children: ReactNode }) {
  return (
    <button
      type="button"
      aria-label={name}
      title={name}
      className={`inline-flex size-8 shrink-0 items-center justify-center rounded-lg text-muted hover:bg-hover hover:text-text disabled:opacity-50 [&_svg]:size-4 ${className}`}
      {...rest}
    >
      {children}
    </button>
  );
}

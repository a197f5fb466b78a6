/** Short notes in the page's upper corner, clear of what is being read and written, with at most one thing to do. Read out once, politely. */
import { create } from "zustand";
import { ApiError, newId } from "~/api/client";
import { currentWords } from "~/i18n";
import { Button } from "./Button";

interface Toast {
  id: string;
  text: string;
  action?: { name: string; run: () => void };
}

const useToasts = create<{ toasts: Toast[] }>(() => ({ toasts: [] }));

const SHOWN_MS = 8000;

export function toast(text: string, action?: Toast["action"]): void {
  const id = newId();
  useToasts.setState(({ toasts }) => ({ toasts: [...toasts.slice(-2), action ? { id, text, action } : { id, text }] }));
  setTimeout(() => dismiss(id), SHOWN_MS);
}

const dismiss = (id: string) => useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((one) => one.id !== id) }));

/** Says what went wrong with something that the user asked for. */
export function toastError(cause: unknown): void {
  const { failed, unreachable } = currentWords().app;
  const reason = cause instanceof ApiError && cause.status === 0 ? unreachable : cause instanceof Error ? cause.message : String(cause);
  toast(failed(reason));
}

export function Toasts() {
  const toasts = useToasts((state) => state.toasts);
  return (
    <div role="status" aria-live="polite" className="pointer-events-none fixed top-14 right-4 left-4 z-50 flex flex-col items-end gap-2">
      {toasts.map(({ id, text, action }) => (
        <div key={id} className="pointer-events-auto flex max-w-full items-center gap-3 rounded-xl border border-line bg-raised px-4 py-2 text-sm shadow-float">
          <span className="min-w-0 break-words">{text}</span>
          {action && (
            <Button
              look="plain"
              className="text-accent"
              onClick={() => {
                action.run();
                dismiss(id);
              }}
            >
              {action.name}
            </Button>
          )}
        </div>
      ))}
    </div>
  );
}

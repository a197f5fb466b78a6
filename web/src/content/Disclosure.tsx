/** Something folded. What is inside does not exist until it is opened. */
import { ChevronRight } from "lucide-react";
import { type ReactNode, useId, useState } from "react";

export function Disclosure({ label, children }: { label: ReactNode; children: () => ReactNode }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  return (
    <div>
      <button type="button" aria-expanded={open} aria-controls={open ? id : undefined} onClick={() => setOpen(!open)} className="-mx-1.5 inline-flex max-w-full items-center gap-1.5 rounded-lg px-1.5 py-0.5 text-left text-sm text-muted hover:bg-hover hover:text-text">
        <ChevronRight className={`size-4 shrink-0 transition-transform ${open ? "rotate-90" : ""}`} aria-hidden />
        {label}
      </button>
      {open && (
        <div id={id} className="mt-1.5 border-l-2 border-line pl-3.5">
          {children()}
        </div>
      )}
    </div>
  );
}

/** Where one types what is searched for; the arrow keys choose from what was found. */
import { Search as Glass, X } from "lucide-react";
import { type KeyboardEvent, useRef } from "react";
import { useWords } from "~/i18n";
import { IconButton } from "~/ui/Button";
import { composing } from "~/ui/platform";
import type { Search } from "./useSearch";

export function SearchField({ search, text, onText }: { search: Search; text: string; onText: (text: string) => void }) {
  const words = useWords().search;
  const field = useRef<HTMLInputElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && text !== "" && !composing(event.nativeEvent)) {
      event.preventDefault();
      event.stopPropagation();
      onText("");
      return;
    }
    search.choice.onKeyDown(event);
  };
  const clear = () => {
    onText("");
    field.current?.focus();
  };
  return (
    <div className="relative" role="search">
      <Glass aria-hidden className="pointer-events-none absolute top-2.5 left-2.5 size-4 text-muted" />
      <input
        ref={field}
        type="search"
        data-search=""
        value={text}
        aria-label={words.field}
        placeholder={words.field}
        autoComplete="off"
        spellCheck={false}
        {...(text.trim() ? search.choice.field : {})}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={onKeyDown}
        className="h-9 w-full rounded-lg border border-line bg-ground pr-9 pl-8 text-sm placeholder:text-muted [&::-webkit-search-cancel-button]:hidden"
      />
      {text !== "" && (
        <IconButton name={words.clear} onClick={clear} className="absolute top-1 right-1 size-7">
          <X />
        </IconButton>
      )}
    </div>
  );
}

/** What was found, in place of the list of sessions. */
import { useWords } from "~/i18n";
import { useSettings } from "~/settings/store";
import { ResultRow } from "./ResultRow";
import type { Result } from "./results";
import type { Search } from "./useSearch";

export function SearchResults({ search }: { search: Search }) {
  const words = useWords().search;
  const language = useSettings((settings) => settings.language);
  const { items, listId, chosen, optionId, choose } = search.choice;
  const section = (kind: Result["kind"], name: string) =>
    items.some((item) => item.kind === kind) && (
      <div role="group" aria-label={name}>
        <div aria-hidden className="flex h-8 items-end px-2 pb-1 text-xs font-medium text-muted">
          {name}
        </div>
        {items.map((item, index) =>
          item.kind === kind ? (
            <ResultRow
              key={item.key}
              id={optionId(index)}
              result={item}
              chosen={index === chosen}
              language={language}
              onPoint={() => choose(index)}
              onOpen={(beside) => search.open(item, beside)}
            />
          ) : null,
        )}
      </div>
    );
  return (
    <div className="min-h-0 flex-1 overflow-y-auto px-2 pb-2 [scrollbar-width:thin]" data-search-results="">
      <p role="status" className="sr-only">
        {search.waiting ? words.searching : search.failed ? words.failed : items.length > 0 ? words.found(items.length) : words.nothing(search.query)}
      </p>
      <div role="listbox" id={listId} aria-label={words.results} aria-busy={search.waiting}>
        {section("title", words.titles)}
        {section("message", words.messages)}
      </div>
      {items.length === 0 && !search.waiting && (
        <div data-empty="search" className="px-2 py-6 text-center text-sm text-muted">
          {search.failed ? (
            <p>{words.failed}</p>
          ) : (
            <>
              <p className="font-medium break-words text-text">{words.nothing(search.query)}</p>
              <p className="mt-1">{words.advice}</p>
            </>
          )}
        </div>
      )}
    </div>
  );
}

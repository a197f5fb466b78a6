/** The field of the palette, and what fits what is typed into it. */
import { useMemo, useState } from "react";
import { useWords, words as languages } from "~/i18n";
import { useChoice } from "~/ui/useChoice";
import { goTo } from "~/workspace/go";
import { activePane } from "~/workspace/store";
import { Caps } from "./Caps";
import { commands, listed } from "./commands";
import { type Entry, entriesFor } from "./entries";
import { EntryRow } from "./EntryRow";
import { useSessionsNamed } from "./useSessionsNamed";

export function PaletteBody({ choose }: { choose: (run: () => void) => void }) {
  const words = useWords().palette;
  const [query, setQuery] = useState("");
  const sessions = useSessionsNamed(query);
  // What fits is settled when the palette opens: nothing moves under the hand.
  const [offered] = useState(listed);
  const [shown] = useState(() => activePane().session);
  const entries = useMemo(() => entriesFor({ query, sessions, shown, commands: offered, languages: Object.values(languages) }), [query, sessions, shown, offered]);
  const take = (entry: Entry, beside: boolean) => choose(entry.kind === "session" ? () => goTo(entry.session.id, beside) : commands[entry.command].run);
  const choice = useChoice(entries, query, take);

  const row = (entry: Entry, index: number) => (
    <EntryRow
      key={entry.kind === "session" ? entry.session.id : entry.command}
      id={choice.optionId(index)}
      entry={entry}
      chosen={index === choice.chosen}
      onPoint={() => choice.choose(index)}
      onTake={(beside) => take(entry, beside)}
    />
  );
  const section = (kind: Entry["kind"], name: string) => {
    const rows = entries.map((entry, index) => (entry.kind === kind ? row(entry, index) : null));
    return (
      entries.some((entry) => entry.kind === kind) && (
        <div key={kind} role="group" aria-label={name}>
          <div aria-hidden className="px-3 pt-2 pb-1 text-xs font-medium text-muted">
            {name}
          </div>
          {rows}
        </div>
      )
    );
  };
  const sections = [section("session", words.sessions), section("command", words.actions)];
  return (
    <>
      <input
        role="combobox"
        aria-expanded
        aria-autocomplete="list"
        aria-label={words.field}
        placeholder={words.field}
        autoComplete="off"
        spellCheck={false}
        value={query}
        {...choice.field}
        onChange={(event) => setQuery(event.target.value)}
        onKeyDown={choice.onKeyDown}
        className="h-12 w-full shrink-0 border-b border-line bg-transparent px-4 outline-none placeholder:text-muted"
      />
      <div role="listbox" id={choice.listId} aria-label={words.results} className="min-h-0 flex-1 overflow-y-auto p-2 empty:hidden">
        {entries[0]?.kind === "command" ? sections.toReversed() : sections}
      </div>
      {entries.length === 0 && (
        <div role="status" data-empty="palette" className="px-3 py-8 text-center text-sm text-muted">
          <p className="break-words text-text">{words.nothing(query.trim())}</p>
          <p>{words.advice}</p>
        </div>
      )}
      <p className="flex shrink-0 items-center gap-2 border-t border-line px-4 py-2 text-xs text-muted max-[699px]:hidden">
        <Caps keys={{ key: "enter", mod: true }} /> {words.hint}
      </p>
    </>
  );
}

/** What the sidebar consists of, wherever it stands: search, the sessions, and the ways to everything else. */
import { Archive, ArrowLeft, Boxes, Command, PanelLeftClose, Settings, SquarePen } from "lucide-react";
import { type ReactNode, useState } from "react";
import { type DialogName, openDialog } from "~/app/dialog";
import { useWords } from "~/i18n";
import { SearchField } from "~/search/SearchField";
import { SearchResults } from "~/search/SearchResults";
import { useSearch } from "~/search/useSearch";
import { type ListKind, loadMore } from "~/session/list";
import { IconButton } from "~/ui/Button";
import { goToNew } from "~/workspace/go";
import { SessionList } from "./SessionList";
import { hideSidebar, setSheet } from "./sheet";

export function SidebarBody({ narrow }: { narrow: boolean }) {
  const words = useWords();
  const [kind, setKind] = useState<ListKind>("active");
  const [text, setText] = useState("");
  const search = useSearch(text, () => setSheet(false));
  const archived = kind === "archived";
  const showArchived = () => {
    setKind("archived");
    void loadMore("archived");
  };
  const begin = () => {
    setSheet(false);
    goToNew();
  };
  return (
    <>
      <header className="flex h-11 shrink-0 items-center gap-1 pr-2 pl-4">
        <span className="min-w-0 flex-1 truncate text-sm font-semibold">{words.app.name}</span>
        <IconButton name={words.sidebar.palette} onClick={() => leave(() => openDialog("palette"))}>
          <Command />
        </IconButton>
        <IconButton name={narrow ? words.sidebar.close : words.sidebar.collapse} onClick={hideSidebar}>
          <PanelLeftClose />
        </IconButton>
      </header>
      <div className="flex shrink-0 flex-col gap-1 px-2 pb-1">
        <button type="button" onClick={begin} className="flex h-9 items-center gap-2 rounded-lg px-2 text-sm font-medium hover:bg-hover">
          <SquarePen aria-hidden className="size-4 shrink-0 text-accent" />
          {words.app.newSession}
        </button>
        <SearchField search={search} text={text} onText={setText} />
      </div>
      <nav aria-label={archived ? words.sidebar.archivedName : words.sidebar.name} className="flex min-h-0 flex-1 flex-col">
        {text.trim() ? (
          <SearchResults search={search} />
        ) : (
          <>
            {archived && (
              <button type="button" onClick={() => setKind("active")} className="mx-2 flex h-9 shrink-0 items-center gap-2 rounded-lg px-2 text-sm text-muted hover:bg-hover hover:text-text">
                <ArrowLeft aria-hidden className="size-4" />
                {words.sidebar.archivedBack}
              </button>
            )}
            <SessionList key={kind} kind={kind} />
          </>
        )}
      </nav>
      <footer className="flex shrink-0 flex-wrap gap-x-1 border-t border-line p-2">
        <Foot name={words.sidebar.archived} pressed={archived} onClick={archived ? () => setKind("active") : showArchived}>
          <Archive aria-hidden />
        </Foot>
        <Foot name={words.sidebar.models} onClick={() => open("configs")}>
          <Boxes aria-hidden />
        </Foot>
        <Foot name={words.sidebar.settings} onClick={() => open("settings")}>
          <Settings aria-hidden />
        </Foot>
      </footer>
    </>
  );
}

const open = (dialog: DialogName) => leave(() => openDialog(dialog));

/** The sheet closes first, and hands its focus back, before a dialog opens over what it covered. */
function leave(then: () => void): void {
  setSheet(false);
  setTimeout(then, 40);
}

function Foot({ name, pressed, onClick, children }: { name: string; pressed?: boolean; onClick: () => void; children: ReactNode }) {
  return (
    <button
      type="button"
      {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
      onClick={onClick}
      className="flex h-8 flex-auto items-center justify-center gap-1 rounded-lg px-1 text-xs text-muted hover:bg-hover hover:text-text aria-pressed:bg-hover aria-pressed:text-text [&_svg]:size-3.5"
    >
      {children}
      {name}
    </button>
  );
}

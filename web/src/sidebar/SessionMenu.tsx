/** What can be done to a session: rename, pin, archive, export, open to the side, delete. */
import { Archive, ArchiveRestore, Columns2, Ellipsis, FileJson, FileText, Link, Pencil, Pin, PinOff, Trash2 } from "lucide-react";
import type { Session } from "~/api/types";
import { useWords } from "~/i18n";
import { change, download, remove } from "~/session/actions";
import { IconButton } from "~/ui/Button";
import { Menu, MenuItem, MenuLine } from "~/ui/Menu";
import { goTo } from "~/workspace/go";
import { useNarrow } from "~/workspace/useNarrow";
import { archive, unarchive } from "./archive";
import { copyLink } from "./link";
import { rename } from "./rename";

export function SessionMenu({ session, className = "", tabIndex = 0 }: { session: Session; className?: string; tabIndex?: number }) {
  const words = useWords();
  const narrow = useNarrow();
  const trigger = (
    <IconButton name={words.app.more} className={className} tabIndex={tabIndex}>
      <Ellipsis />
    </IconButton>
  );
  return (
    <Menu trigger={trigger}>
      {!narrow && (
        <MenuItem onSelect={() => goTo(session.id, true)}>
          <Columns2 aria-hidden /> {words.sidebar.openBeside}
        </MenuItem>
      )}
      <MenuItem onSelect={() => rename(session)}>
        <Pencil aria-hidden /> {words.sidebar.rename}
      </MenuItem>
      <MenuItem onSelect={() => void change(session.id, { pinned: !session.pinned })}>
        {session.pinned ? <PinOff aria-hidden /> : <Pin aria-hidden />} {session.pinned ? words.sidebar.unpin : words.sidebar.pin}
      </MenuItem>
      <MenuItem onSelect={() => void (session.archived ? unarchive(session) : archive(session))}>
        {session.archived ? <ArchiveRestore aria-hidden /> : <Archive aria-hidden />} {session.archived ? words.sidebar.unarchive : words.sidebar.archive}
      </MenuItem>
      <MenuLine />
      <MenuItem onSelect={() => void copyLink(session.id)}>
        <Link aria-hidden /> {words.sidebar.copyLink}
      </MenuItem>
      <MenuItem onSelect={() => void download(session, "markdown")}>
        <FileText aria-hidden /> {words.sidebar.exportMarkdown}
      </MenuItem>
      <MenuItem onSelect={() => void download(session, "json")}>
        <FileJson aria-hidden /> {words.sidebar.exportJson}
      </MenuItem>
      <MenuLine />
      <MenuItem danger onSelect={() => void remove(session)}>
        <Trash2 aria-hidden /> {words.sidebar.delete}
      </MenuItem>
    </Menu>
  );
}

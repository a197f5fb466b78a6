/** What stands where no sessions stand: that they load, that they could not be had, or that there are none. */
import { useWords, type Words } from "~/i18n";
import { type ListKind, loadMore, useList } from "~/session/list";
import { Button } from "~/ui/Button";

export function ListFoot({ kind, empty, words }: { kind: ListKind; empty: boolean; words: Words["sidebar"] }) {
  const { next, state } = useList((list) => list.pages[kind]);
  if (state === "failed") return <Failed kind={kind} words={words} />;
  if (next === undefined) return empty ? <Skeleton /> : null;
  if (next !== null) return <p className="px-2 py-2 text-xs text-muted">{words.loading}</p>;
  if (!empty) return null;
  return (
    <p data-empty="sessions" className="px-2 py-6 text-center text-sm text-muted">
      {kind === "archived" ? words.emptyArchived : words.empty}
    </p>
  );
}

function Failed({ kind, words }: { kind: ListKind; words: Words["sidebar"] }) {
  const { app } = useWords();
  return (
    <div className="flex flex-col items-center gap-2 px-2 py-4 text-center text-sm text-muted">
      <p>{words.loadFailed}</p>
      <Button onClick={() => void loadMore(kind)}>{app.retry}</Button>
    </div>
  );
}

/** Comes late, so that a quick answer shows no flash of it. */
function Skeleton() {
  const words = useWords().sidebar;
  return (
    <div role="status" aria-label={words.loading} className="flex flex-col gap-3 px-2 pt-9 opacity-100 transition-opacity delay-300 duration-300 starting:opacity-0">
      {["w-3/4", "w-1/2", "w-2/3", "w-5/6", "w-1/2", "w-3/5"].map((width, index) => (
        <div key={index} className={`h-4 rounded bg-hover ${width}`} />
      ))}
    </div>
  );
}

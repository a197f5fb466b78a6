/** The sessions under their headings; only those near the view are in the document. */
import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import { useWords } from "~/i18n";
import { type ListKind, loadMore, sorted, useList } from "~/session/list";
import { useSettings } from "~/settings/store";
import { panesOf } from "~/workspace/layout";
import { useWorkspace } from "~/workspace/store";
import { linesOf, monthName } from "./groups";
import { ListFoot } from "./ListFoot";
import { arrowTo } from "./rows";
import { SessionRow } from "./SessionRow";
import { useDay } from "./useDay";

const HEAD_PX = 32;
const ROW_PX = 36;
/** The next page is asked for when this many lines are left. */
const AHEAD = 30;

export function SessionList({ kind }: { kind: ListKind }) {
  const words = useWords().sidebar;
  const sessions = useList((list) => list.sessions);
  const day = useDay();
  const lines = useMemo(() => linesOf(sorted(sessions, kind === "archived"), day), [sessions, kind, day]);
  const root = useWorkspace((state) => state.root);
  const activeId = useWorkspace((state) => state.active);
  const open = useMemo(() => panesOf(root), [root]);
  const active = open.find((pane) => pane.id === activeId)?.session;
  const beside = useMemo(() => new Set(open.map((pane) => pane.session)), [open]);

  const box = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const at = useMemo(() => {
    const index = (id: string | null | undefined) => lines.findIndex((line) => line.kind === "session" && line.session.id === id);
    return [focused, active].map(index).find((found) => found >= 0) ?? lines.findIndex((line) => line.kind === "session");
  }, [lines, focused, active]);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => (lines[index]?.kind === "head" ? HEAD_PX : ROW_PX),
    getItemKey: (index) => keyOf(lines[index]),
    // The row that Tab reaches stays, wherever the list is scrolled to.
    rangeExtractor: (range: Range) => [...new Set([...defaultRangeExtractor(range), ...(at >= 0 ? [at] : [])])].toSorted((a, b) => a - b),
    overscan: 10,
  });
  useEffect(() => virtual.measure(), [virtual, lines]);
  useMore(kind, virtual.range?.endIndex ?? 0, lines.length);

  return (
    <div
      ref={box}
      data-session-list={kind}
      className="min-h-0 flex-1 overflow-y-auto px-2 pb-2 [scrollbar-width:thin]"
      onFocus={(event) => setFocused(event.target.closest<HTMLElement>("[data-session-row]")?.dataset.sessionRow ?? null)}
      onKeyDown={(event) => arrowTo(event, lines, at, (index) => virtual.scrollToIndex(index))}
    >
      <div className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, key, start }) => {
          const line = lines[index]!;
          return (
            <div key={key} className="absolute inset-x-0 top-0" style={{ transform: `translateY(${start}px)` }}>
              {line.kind === "head" ? (
                <Heading group={line.group} day={day} />
              ) : (
                <SessionRow session={line.session} shown={line.session.id === active ? "active" : beside.has(line.session.id) ? "beside" : null} reachable={index === at} />
              )}
            </div>
          );
        })}
      </div>
      <ListFoot kind={kind} empty={lines.length === 0} words={words} />
    </div>
  );
}

const keyOf = (line: ReturnType<typeof linesOf>[number] | undefined): string =>
  line === undefined ? "" : line.kind === "head" ? `head ${line.group}` : line.session.id;

function Heading({ group, day }: { group: string; day: Date }) {
  const words = useWords().sidebar;
  const language = useSettings((settings) => settings.language);
  const named: Record<string, string> = { pinned: words.pinned, today: words.today, yesterday: words.yesterday, week: words.week };
  return <h3 className="flex h-8 items-end px-2 pb-1 text-xs font-medium text-muted">{named[group] ?? monthName(group, language, day)}</h3>;
}

/** Asks for the next page before the end comes into view. */
function useMore(kind: ListKind, last: number, count: number): void {
  const { next, state } = useList((list) => list.pages[kind]);
  useEffect(() => {
    if (state === "idle" && next && last >= count - AHEAD) void loadMore(kind);
  }, [kind, last, count, next, state]);
}

/** The scrolling list: the rows near the view, and gaps as high as all others. */
import { useLayoutEffect, useMemo, useSyncExternalStore } from "react";
import { useWords } from "~/i18n";
import { useSession } from "~/session/store";
import { useThread } from "./context";
import { Item } from "./Item";
import type { Line } from "./lines";
import { pieces, sum } from "./span";

export function List({ lines }: { lines: Line[] }) {
  const words = useWords().thread;
  const { session, scroller } = useThread();
  useSyncExternalStore(scroller.subscribe, () => scroller.version);
  const older = useSession(session, ({ thread }) => thread.older);
  const keys = useMemo(() => lines.map((line) => line.key), [lines]);
  const { span, sizes, held } = scroller.plan(keys);
  useLayoutEffect(() => scroller.settle(keys, span));
  return (
    <div
      ref={scroller.attach}
      data-thread=""
      role="log"
      aria-label={words.log}
      aria-live="off"
      tabIndex={0}
      className="h-full overflow-x-hidden overflow-y-auto overscroll-contain [overflow-anchor:none] [scrollbar-gutter:stable_both-edges] focus-visible:-outline-offset-2"
    >
      <div className={`flex items-end justify-center text-xs text-muted ${older ? "h-12" : "h-4"}`}>{older && words.loadingOlder}</div>
      {pieces(span, held, lines.length).map((piece) =>
        "gap" in piece ? (
          <div key={`gap ${piece.gap.from ? "below" : "above"} ${piece.gap.to}`} aria-hidden style={{ height: sum(sizes, piece.gap.from, piece.gap.to) }} />
        ) : (
          <div key={keys[piece.row]} ref={scroller.row} data-item={keys[piece.row]} className="flow-root">
            <Item line={lines[piece.row]!} />
          </div>
        ),
      )}
      <div className="h-4" />
    </div>
  );
}

/**
 * The panes on the screen. They are siblings in one box, each placed by its share of it: opening, closing, resizing or
 * turning the screen moves no pane within the document, so none loses its scroll position, its focus or its state.
 */
import { Fragment, memo, type ReactNode, useMemo } from "react";
import { type Box, slotsOf } from "~/workspace/slots";
import { useWorkspace } from "~/workspace/store";
import { useNarrow } from "~/workspace/useNarrow";
import { PaneBar } from "./PaneBar";
import { PaneFrame } from "./PaneFrame";
import { Switcher } from "./Switcher";

const Frame = memo(PaneFrame);

export function Panes() {
  const root = useWorkspace((state) => state.root);
  const active = useWorkspace((state) => state.active);
  const narrow = useNarrow();
  const slots = useMemo(() => slotsOf(root), [root]);
  return (
    <div className="flex h-full min-w-0 flex-col">
      {narrow && slots.length > 1 && <Switcher panes={slots.map(({ pane }) => pane)} />}
      <div className="relative min-h-0 flex-1 overflow-hidden">
        {slots.map(({ pane, box, bar }, index) => (
          <Fragment key={pane.id}>
            {bar && !narrow && <PaneBar bar={bar} />}
            <Place box={narrow ? null : box} shown={!narrow || pane.id === active}>
              <Frame pane={pane} number={index + 1} count={slots.length} shown={!narrow || pane.id === active} />
            </Place>
          </Fragment>
        ))}
      </div>
    </div>
  );
}

/** Without a box a pane has the whole place. One that is not shown keeps its size, and so its scroll position. */
function Place({ box, shown, children }: { box: Box | null; shown: boolean; children: ReactNode }) {
  const style = box ? { left: `${box.x}%`, top: `${box.y}%`, width: `${box.width}%`, height: `${box.height}%` } : { left: 0, top: 0, width: "100%", height: "100%" };
  return (
    <div className={`absolute min-h-0 min-w-0 ${shown ? "" : "invisible"}`} inert={!shown} style={style}>
      {children}
    </div>
  );
}

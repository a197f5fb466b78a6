/** Where a session that is dragged from the sidebar may be dropped: on the pane, or at one of its edges. */
import { type DragEvent, useEffect, useState } from "react";
import { useDragged } from "~/workspace/drag";
import { drop } from "~/workspace/go";
import type { Pane } from "~/workspace/layout";
import { type Place, placeOf } from "~/workspace/places";

const shapes: Record<Place, string> = {
  left: "inset-y-0 left-0 w-1/2",
  right: "inset-y-0 right-0 w-1/2",
  top: "inset-x-0 top-0 h-1/2",
  bottom: "inset-x-0 bottom-0 h-1/2",
  center: "inset-0",
};

export function DropEdges({ pane }: { pane: Pane }) {
  const session = useDragged((state) => state.session);
  const [place, setPlace] = useState<Place | null>(null);
  useEffect(() => setPlace(null), [session]);
  if (!session) return null;
  return (
    <div
      className="absolute inset-0 z-30"
      data-drop={pane.id}
      onDragOver={(event) => {
        event.preventDefault();
        setPlace(pointedAt(event));
      }}
      onDragLeave={() => setPlace(null)}
      onDrop={(event) => {
        event.preventDefault();
        drop(session, pane.id, pointedAt(event));
      }}
    >
      {place && <div className={`pointer-events-none absolute rounded-lg border-2 border-accent bg-accent/15 ${shapes[place]}`} />}
    </div>
  );
}

function pointedAt(event: DragEvent): Place {
  const box = event.currentTarget.getBoundingClientRect();
  return placeOf(event.clientX - box.left, event.clientY - box.top, box.width, box.height);
}

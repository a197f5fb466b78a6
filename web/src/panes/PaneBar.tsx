/** The line between two panes: dragged, or moved with the arrow keys. */
import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import { useWords } from "~/i18n";
import type { Bar } from "~/workspace/slots";
import { moveTo } from "~/workspace/store";

/** What a pane needs at least, in px, when a line is moved. */
const LEAST = { horizontal: 260, vertical: 180 };
/** One press of an arrow key, in per cent of the split; ten times that with Shift. */
const STEP = 2;

export function PaneBar({ bar }: { bar: Bar }) {
  const words = useWords();
  const { split, at, direction, within, share, both } = bar;
  const across = direction === "horizontal";
  const grip = useRef<HTMLDivElement>(null);
  const dragged = useRef<{ from: number; share: number } | null>(null);

  /** The split's own extent on the screen. */
  const extent = () => {
    const area = grip.current!.parentElement!.getBoundingClientRect();
    return across ? (area.width * within.width) / 100 : (area.height * within.height) / 100;
  };
  const move = (to: number) => moveTo(split, at, to, (LEAST[direction] / extent()) * 100);
  const position = (event: PointerEvent) => (across ? event.clientX : event.clientY);

  const onKeyDown = (event: KeyboardEvent) => {
    const back = across ? "ArrowLeft" : "ArrowUp";
    const forth = across ? "ArrowRight" : "ArrowDown";
    const step = event.shiftKey ? STEP * 10 : STEP;
    const to = { [back]: share - step, [forth]: share + step, Home: 0, End: both, Enter: both / 2 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  };

  const line = across
    ? { left: `${within.x + (within.width * bar.start) / 100}%`, top: `${within.y}%`, height: `${within.height}%` }
    : { top: `${within.y + (within.height * bar.start) / 100}%`, left: `${within.x}%`, width: `${within.width}%` };
  return (
    <div
      ref={grip}
      role="separator"
      tabIndex={0}
      aria-label={words.panes.separator}
      aria-orientation={across ? "vertical" : "horizontal"}
      aria-valuenow={Math.round(share)}
      aria-valuemin={0}
      aria-valuemax={Math.round(both)}
      aria-controls={bar.controls.map((pane) => `pane-${pane}`).join(" ")}
      onKeyDown={onKeyDown}
      onDoubleClick={() => move(both / 2)}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        dragged.current = { from: position(event), share };
      }}
      onPointerMove={(event) => {
        const start = dragged.current;
        if (start) move(start.share + ((position(event) - start.from) / extent()) * 100);
      }}
      onLostPointerCapture={() => (dragged.current = null)}
      style={line}
      className={`group/bar absolute z-25 touch-none outline-none ${across ? "-ml-1 w-2 cursor-col-resize" : "-mt-1 h-2 cursor-row-resize"}`}
    >
      <div
        className={`absolute bg-line transition-colors group-hover/bar:bg-accent group-focus-visible/bar:bg-accent group-active/bar:bg-accent ${across ? "inset-y-0 left-1 w-px group-focus-visible/bar:left-0.5 group-focus-visible/bar:w-1" : "inset-x-0 top-1 h-px group-focus-visible/bar:top-0.5 group-focus-visible/bar:h-1"}`}
      />
    </div>
  );
}

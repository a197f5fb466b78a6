/** On a narrow screen: which of the panes is shown. */
import { useEffect, useRef } from "react";
import { useWords } from "~/i18n";
import { useList } from "~/session/list";
import { useSessionState } from "~/session/seen";
import { StateMark } from "~/sidebar/StateMark";
import type { Pane } from "~/workspace/layout";
import { activate, useWorkspace } from "~/workspace/store";

export function Switcher({ panes }: { panes: Pane[] }) {
  const words = useWords();
  return (
    <div role="group" data-switcher="" aria-label={words.panes.switcher} className="flex shrink-0 gap-1 overflow-x-auto border-b border-line px-2 py-1">
      {panes.map((pane) => (
        <Choice key={pane.id} pane={pane} />
      ))}
    </div>
  );
}

function Choice({ pane }: { pane: Pane }) {
  const words = useWords();
  const active = useWorkspace((state) => state.active === pane.id);
  const session = useList((list) => list.sessions[pane.session]);
  const state = useSessionState(session);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (active) button.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [active]);
  return (
    <button
      ref={button}
      type="button"
      aria-pressed={active}
      data-switch={pane.id}
      onClick={() => activate(pane.id)}
      className="flex h-8 max-w-40 min-w-0 shrink-0 items-center gap-1.5 rounded-lg px-3 text-sm text-muted aria-pressed:bg-bubble aria-pressed:text-text"
    >
      {state !== "idle" && <StateMark state={state} />}
      <span className="truncate">{session?.title ?? words.app.untitled}</span>
    </button>
  );
}

/** Whom a broadcast goes to. Pure. */
import type { Pane } from "~/workspace/layout";

export interface Target {
  pane: Pane;
  /** The pane's place on the screen, from 1. */
  number: number;
  checked: boolean;
}

/** One for each open session: a session in two panes gets the message once. */
export function targetsOf(panes: Pane[], broadcast: string[]): Target[] {
  const targets: Target[] = [];
  panes.forEach((pane, index) => {
    const checked = broadcast.includes(pane.id);
    const same = targets.find((target) => target.pane.session === pane.session);
    if (same) same.checked ||= checked;
    else targets.push({ pane, number: index + 1, checked });
  });
  return targets;
}

/** The panes that are checked after this target was switched; its session's other panes go with it. */
export function toggled(panes: Pane[], broadcast: string[], session: string, checked: boolean): string[] {
  const ids = panes.filter((pane) => pane.session === session).map((pane) => pane.id);
  const rest = broadcast.filter((id) => !ids.includes(id));
  return checked ? [...rest, ...ids] : rest;
}

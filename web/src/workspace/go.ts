/** Opening and going somewhere as a user does it: the focus follows, and what does not fit is said. */
import { currentWords } from "~/i18n";
import { toast } from "~/ui/toasts";
import { type Edge, PANES_MAX } from "./layout";
import { activePane, closePane, cycle, openBeside, openIn, openNew, openSession, panes, setBroadcast } from "./store";

/** How long the composer of a session that is being opened is waited for. */
const PATIENCE_MS = 1500;

/** Puts the cursor into the composer of the active pane as soon as it is there, unless the user went elsewhere meanwhile. */
export function focusComposer(): void {
  const from = document.activeElement;
  const until = performance.now() + PATIENCE_MS;
  const step = () => {
    const { id, session } = activePane();
    const pane = document.querySelector(`[data-pane="${CSS.escape(id)}"][data-session="${CSS.escape(session)}"]`);
    const composer = pane?.querySelector<HTMLElement>("textarea[data-composer]");
    if (composer) return composer.focus({ preventScroll: true });
    const stayed = document.activeElement === from || document.activeElement === document.body;
    if (stayed && performance.now() < until) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

/** On a touch screen the focus would bring up the keyboard over what was just opened. */
function arrive(): void {
  if (!matchMedia("(pointer: coarse)").matches) focusComposer();
}

function said(fits: boolean): void {
  if (fits) arrive();
  else toast(panes().length < PANES_MAX ? currentWords().panes.noRoom : currentWords().panes.full(PANES_MAX));
}

export function goTo(session: string, beside = false): void {
  if (beside) return said(openBeside(session));
  openSession(session);
  arrive();
}

export function goToNew(): void {
  openNew();
  arrive();
}

export const split = (beside: string, edge: Edge): void => said(openBeside(null, beside, edge));

/** A session was dropped on a pane, or at one of its edges. */
export function drop(session: string, pane: string, place: Edge | "center"): void {
  if (place !== "center") return said(openBeside(session, pane, place));
  openIn(pane, session);
  arrive();
}

export function close(pane: string): void {
  closePane(pane);
  arrive();
}

/** What is written goes to these panes, or `null`: to the active one alone again. */
export function broadcast(to: string[] | null): void {
  setBroadcast(to);
  arrive();
}

export function cyclePanes(step: 1 | -1): void {
  cycle(step);
  focusComposer();
}

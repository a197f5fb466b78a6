/** Which sessions are open where. Kept in this browser; the address is that of the active pane. */
import { create } from "zustand";
import { newId } from "~/api/client";
import { all, keep, read } from "~/session/kept";
import { type Edge, insert, isLayout, mapPane, moveBar, type Node, PANES_MAX, type Pane, panesOf, remove } from "./layout";
import { spotFor } from "./room";
import { newestUnsent } from "./unsent";
import { isNarrow } from "./useNarrow";

interface Workspace {
  root: Node;
  active: string;
  /** Panes that a broadcast goes to, when one is being written. */
  broadcast: string[] | null;
}

const pane = (session: string, fresh: boolean): Pane => ({ kind: "pane", id: newId().slice(0, 8), session, fresh });
const freshPane = (): Pane => pane(newId(), true);

const addressed = (): string | null => /^\/s\/([A-Za-z0-9_-]{1,64})$/.exec(location.pathname)?.[1] ?? null;

function first(): Workspace {
  const kept = keptLayout();
  const state: Workspace = kept ?? alone(freshPane());
  const session = addressed();
  return session ? showing(state, session) : state;
}

const alone = (root: Pane): Workspace => ({ root, active: root.id, broadcast: null });

/** This tab's own layout; a new tab begins with that of the tab which changed it last. */
function keptLayout(): Workspace | null {
  const own = sessionStorage.getItem("turnwise.layout");
  const kept = own ? (JSON.parse(own) as Partial<Workspace>) : read<Partial<Workspace>>("layout");
  if (!kept || !isLayout(kept.root)) return null;
  const { root } = kept;
  const active = panesOf(root).find((one) => one.id === kept.active) ?? panesOf(root)[0]!;
  return { root, active: active.id, broadcast: null };
}

function keepLayout({ root, active }: Workspace): void {
  keep("layout", { root, active });
  try {
    sessionStorage.setItem("turnwise.layout", JSON.stringify({ root, active }));
  } catch {
    // Without it, two tabs share one layout.
  }
}

/** The session in the pane that has it already, else in the active one. */
function showing(state: Workspace, session: string): Workspace {
  const there = panesOf(state.root).filter((one) => one.session === session);
  if (there.length > 0) return there.some((one) => one.id === state.active) ? state : { ...state, active: there[0]!.id };
  return { ...state, root: mapPane(state.root, state.active, (one) => ({ ...one, session, fresh: false })) };
}

export const useWorkspace = create<Workspace>(first);

export const panes = (): Pane[] => panesOf(useWorkspace.getState().root);
export const activePane = (): Pane => panes().find((one) => one.id === useWorkspace.getState().active) ?? panes()[0]!;

export function startWorkspace(): void {
  const show = (push: boolean) => {
    const { session, fresh } = activePane();
    const path = fresh ? "/" : `/s/${session}`;
    if (location.pathname === path) return;
    // A new session leaves no trace in the history: its place is taken by what comes after it.
    history[push && location.pathname !== "/" ? "pushState" : "replaceState"](null, "", path);
  };
  show(false);
  useWorkspace.subscribe((state) => {
    keepLayout(state);
    show(true);
  });
  window.addEventListener("popstate", () => {
    const session = addressed();
    if (session) openSession(session);
    else if (!activePane().fresh) openNew();
  });
}

export const activate = (id: string): void => {
  if (useWorkspace.getState().active !== id) useWorkspace.setState({ active: id });
};

/** Shows a session in the active pane, or goes to the pane that has it. */
export const openSession = (session: string): void => useWorkspace.setState((state) => showing(state, session));

/** Shows a session in this pane, whatever it showed before. */
export const openIn = (id: string, session: string): void =>
  useWorkspace.setState((state) => ({ root: mapPane(state.root, id, (one) => ({ ...one, session, fresh: false })), active: id }));

/** Shows a session (or a new one) in a pane of its own, there or where there is room. `false` when there is no room for another pane. */
export function openBeside(session: string | null, beside = useWorkspace.getState().active, edge: Edge = "right"): boolean {
  const { root } = useWorkspace.getState();
  const wanted = { beside, edge };
  const area = document.querySelector("main")?.getBoundingClientRect();
  // On a narrow screen each pane has the whole of it.
  const spot = isNarrow() || !area ? wanted : spotFor(root, area, wanted);
  if (!spot || panes().length >= PANES_MAX) return false;
  const fresh = session ? pane(session, false) : freshPane();
  useWorkspace.setState({ root: insert(root, spot.beside, spot.edge, fresh, newId().slice(0, 8)), active: fresh.id });
  return true;
}

/** A new session in the active pane: the one that was left with an unsent draft, else an empty one. */
export function openNew(): void {
  const open = panes().map((one) => one.session);
  const left = activePane().fresh ? null : newestUnsent(all("draft."), open);
  const session = left ?? newId();
  useWorkspace.setState((state) => ({ root: mapPane(state.root, state.active, (one) => ({ ...one, session, fresh: true })) }));
}

export function closePane(id: string): void {
  useWorkspace.setState((state) => {
    const before = panesOf(state.root);
    const root = remove(state.root, id);
    if (!root) return alone(freshPane());
    const at = before.findIndex((one) => one.id === id);
    const left = panesOf(root);
    const active = state.active === id ? left[Math.min(at, left.length - 1)]!.id : state.active;
    return { root, active, broadcast: state.broadcast?.filter((one) => one !== id) ?? null };
  });
}

/** The server knows the session now. */
export const settle = (session: string): void =>
  useWorkspace.setState((state) => {
    const there = panesOf(state.root).filter((one) => one.session === session && one.fresh);
    return there.length === 0 ? state : { root: there.reduce((root, { id }) => mapPane(root, id, (one) => ({ ...one, fresh: false })), state.root) };
  });

/** Moves the line before a child of a split; shares in per cent. */
export const moveTo = (split: string, at: number, share: number, least: number): void =>
  useWorkspace.setState((state) => ({ root: moveBar(state.root, split, at, share, least) }));

/** The pane after (or before) the active one, round and round. */
export function cycle(step: 1 | -1): void {
  const open = panes();
  const at = open.findIndex((one) => one.id === useWorkspace.getState().active);
  activate(open[(at + step + open.length) % open.length]!.id);
}

export const setBroadcast = (broadcast: string[] | null): void => useWorkspace.setState({ broadcast });

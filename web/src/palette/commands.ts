/** What can be done from the palette and the keyboard, by name. */
import type { Session } from "~/api/types";
import { openDialog } from "~/app/dialog";
import type { Words } from "~/i18n";
import { change, download, remove, retry, stop } from "~/session/actions";
import { useList } from "~/session/list";
import { sessionState } from "~/session/store";
import { useSettings } from "~/settings/store";
import { archive, unarchive } from "~/sidebar/archive";
import { focusSearch } from "~/sidebar/focusSearch";
import { copyLink } from "~/sidebar/link";
import { rename } from "~/sidebar/rename";
import { toggleSidebar } from "~/sidebar/sheet";
import { broadcast, close, cyclePanes, goToNew, split } from "~/workspace/go";
import { PANES_MAX } from "~/workspace/layout";
import { activePane, panes } from "~/workspace/store";

export type CommandId = keyof Words["palette"]["commands"];

interface Command {
  run: () => void;
  /** Whether there is anything for it to do now. */
  fits?: () => boolean;
  /** Whether the palette lists it, where its key does more. */
  listed?: () => boolean;
}

/** The session of the active pane, if the server knows it. */
function session(): Session | null {
  const id = activePane().session;
  const open = sessionState(id);
  return open?.phase === "missing" || open?.phase === "deleted" ? null : (useList.getState().sessions[id] ?? open?.thread.session ?? null);
}

const ofSession = (run: (session: Session) => unknown, fits: (session: Session) => boolean = () => true): Command => ({
  run: () => {
    const now = session();
    if (now) run(now);
  },
  fits: () => {
    const now = session();
    return now !== null && fits(now);
  },
});

/** The turn of the last answer that stands in the active pane, when none is being given. */
function lastAnswer(): string | null {
  const thread = sessionState(activePane().session)?.thread;
  const last = thread?.rows.get(thread.keys.at(-1) ?? "");
  return last && !last.input && !thread?.running ? last.turn : null;
}

function regenerate(): void {
  const turn = lastAnswer();
  if (turn) void retry(activePane().session, turn);
}

const picker = () => document.querySelector<HTMLElement>(`[data-pane="${CSS.escape(activePane().id)}"] [data-config-picker]`);

/** Its menu opens by the keyboard, so that the keyboard goes on in it. */
function changeModel(): void {
  const trigger = picker();
  trigger?.focus();
  trigger?.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
}

const several = (): boolean => panes().length > 1;
const room = (): boolean => panes().length < PANES_MAX;

export const commands: Record<CommandId, Command> = {
  newSession: { run: goToNew },
  newBeside: { run: () => split(activePane().id, "right"), fits: room },
  splitDown: { run: () => split(activePane().id, "bottom"), fits: room },
  closePane: { run: () => close(activePane().id), fits: several },
  nextPane: { run: () => cyclePanes(1), listed: several },
  previousPane: { run: () => cyclePanes(-1), listed: several },
  broadcast: { run: () => broadcast(panes().map((pane) => pane.id)), fits: several },
  stop: { run: () => void stop(activePane().session), fits: () => !!sessionState(activePane().session)?.thread.running },
  regenerate: { run: regenerate, fits: () => lastAnswer() !== null },
  changeModel: { run: changeModel, fits: () => picker() !== null },
  toggleSidebar: { run: toggleSidebar },
  searchSessions: { run: focusSearch },
  palette: { run: () => openDialog("palette"), listed: () => false },
  configs: { run: () => openDialog("configs") },
  settings: { run: () => openDialog("settings") },
  shortcuts: { run: () => openDialog("shortcuts") },
  themeLight: { run: () => useSettings.setState({ theme: "light" }) },
  themeDark: { run: () => useSettings.setState({ theme: "dark" }) },
  themeSystem: { run: () => useSettings.setState({ theme: "system" }) },
  english: { run: () => useSettings.setState({ language: "en" }) },
  chinese: { run: () => useSettings.setState({ language: "zh-CN" }) },
  rename: ofSession(rename),
  pin: ofSession((one) => change(one.id, { pinned: true }), (one) => !one.pinned),
  unpin: ofSession((one) => change(one.id, { pinned: false }), (one) => one.pinned),
  archive: ofSession(archive, (one) => !one.archived),
  unarchive: ofSession(unarchive, (one) => one.archived),
  exportMarkdown: ofSession((one) => download(one, "markdown")),
  exportJson: ofSession((one) => download(one, "json")),
  copyLink: ofSession((one) => copyLink(one.id)),
  remove: ofSession(remove),
};

/** What the palette has to offer now. */
export const listed = (): CommandId[] => (Object.keys(commands) as CommandId[]).filter((id) => (commands[id].fits?.() ?? true) && (commands[id].listed?.() ?? true));

/** What the palette offers for what is typed. Pure. */
import type { Session } from "~/api/types";
import type { Words } from "~/i18n";
import type { CommandId } from "./commands";
import { fit, fitAny } from "./fuzzy";

export type Entry = { kind: "session"; session: Session } | { kind: "command"; command: CommandId };

const RECENT = 7;
const SESSIONS_MAX = 20;

interface Given {
  query: string;
  /** The newest first. */
  sessions: Session[];
  /** The session of the active pane: nobody needs to be led to where they are. */
  shown: string | null;
  commands: CommandId[];
  /** A command may be asked for in any language of the page. */
  languages: Words[];
}

/** Without a query the other recent sessions and every action; with one what fits, whichever kind fits best first. */
export function entriesFor({ query, sessions, shown, commands, languages }: Given): Entry[] {
  if (query.trim() === "") return [...sessions.filter(({ id }) => id !== shown).slice(0, RECENT).map(ofSession), ...commands.map(ofCommand)];
  const fitting = ranked(sessions, (session) => fit(query, session.title ?? "")).slice(0, SESSIONS_MAX);
  const doing = ranked(commands, (command) => fitAny(query, languages.map((words) => words.palette.commands[command])));
  const [first, second] = [fitting.map(({ item }) => ofSession(item)), doing.map(({ item }) => ofCommand(item))];
  return (doing[0]?.score ?? -1) > (fitting[0]?.score ?? -1) ? [...second, ...first] : [...first, ...second];
}

const ofSession = (session: Session): Entry => ({ kind: "session", session });
const ofCommand = (command: CommandId): Entry => ({ kind: "command", command });

/** The best first; those that fit alike stay in their order. */
function ranked<T>(items: T[], score: (item: T) => number | null): { item: T; score: number }[] {
  return items
    .map((item) => ({ item, score: score(item) }))
    .filter((one): one is { item: T; score: number } => one.score !== null)
    .sort((a, b) => b.score - a.score);
}

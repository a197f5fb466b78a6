/** Which keys do what: the one table that both the handler and the list of shortcuts read. Pure. */
import type { CommandId } from "./commands";

export interface Keys {
  /** As `KeyboardEvent.key` gives it, in lower case. */
  key: string;
  /** The key's place on the keyboard, for signs that some layouts reach only with other modifiers. */
  code?: string;
  /** Ctrl, or ⌘ on a Mac. */
  mod?: boolean;
  shift?: boolean;
}

export const shortcuts: ({ command: CommandId } & Keys)[] = [
  { command: "palette", key: "k", mod: true },
  { command: "shortcuts", key: "/", code: "Slash", mod: true },
  { command: "newSession", key: "o", mod: true, shift: true },
  { command: "newBeside", key: "\\", code: "Backslash", mod: true },
  { command: "splitDown", key: "|", code: "Backslash", mod: true, shift: true },
  { command: "closePane", key: "x", mod: true, shift: true },
  { command: "nextPane", key: "f6" },
  { command: "previousPane", key: "f6", shift: true },
  { command: "toggleSidebar", key: "b", mod: true },
  { command: "searchSessions", key: "f", mod: true, shift: true },
];

export interface Press {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

/** The command of a key press, if it is anybody's. None of them is a bare letter, so none fires while somebody types. */
export function commandOf(press: Press, mac: boolean): CommandId | null {
  const mod = mac ? press.metaKey : press.ctrlKey;
  const other = mac ? press.ctrlKey : press.metaKey;
  if (other || press.altKey) return null;
  const found = shortcuts.find(({ key, code, mod: wantsMod = false, shift = false }) => {
    if (wantsMod !== mod) return false;
    if (code === press.code) return shift === press.shiftKey;
    // Where a sign itself needs Shift, Shift is no further wish.
    return key === press.key.toLowerCase() && (shift === press.shiftKey || key === "/");
  });
  return found?.command ?? null;
}

const macNames: Record<string, string> = { mod: "⌘", shift: "⇧", enter: "↩" };
const otherNames: Record<string, string> = { mod: "Ctrl", shift: "Shift", enter: "Enter" };
const arrows: Record<string, string> = { arrowup: "↑", arrowdown: "↓", arrowleft: "←", arrowright: "→", escape: "Esc", home: "Home", end: "End" };

/** The caps to press, as they are written on this keyboard. */
export function capsOf({ key, code, mod, shift }: Keys, mac: boolean): string[] {
  const names = mac ? macNames : otherNames;
  const cap = code === "Backslash" ? "\\" : (names[key] ?? arrows[key] ?? key.toUpperCase());
  return [...(mod ? [names.mod!] : []), ...(shift ? [names.shift!] : []), cap];
}

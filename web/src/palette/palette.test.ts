import { expect, test } from "vitest";
import type { Session } from "~/api/types";
import { en } from "../i18n/en";
import { zh } from "../i18n/zh";
import type { CommandId } from "./commands";
import { entriesFor } from "./entries";
import { fit } from "./fuzzy";
import { capsOf, commandOf, type Press, shortcuts } from "./keys";

const press = (key: string, rest: Partial<Press> = {}): Press => ({ key, code: "", ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...rest });
const ctrl = { ctrlKey: true };

test("whole words fit better than their middles, and those better than scattered letters", () => {
  const scores = ["new session", "a new session", "renewed", "n e w", "not every window"].map((text) => fit("new", text));
  expect(scores).toEqual([...scores].sort((a, b) => b! - a!));
  expect(new Set(scores.slice(0, 4)).size).toBe(4);
  expect(fit("new", "wen")).toBeNull();
  expect(fit("ns", "New session")).not.toBeNull();
  expect(fit("session new", "New session")).not.toBeNull();
  expect(fit("cafe", "Café")).toBe(100);
  expect(fit("三日", "北京三日游")).not.toBeNull();
});

test("actions are found in both languages, sessions by title, the best kind first", () => {
  const sessions = [{ id: "a", title: "Theme park" }, { id: "b", title: "主题公园" }] as Session[];
  const commands: CommandId[] = ["themeDark", "newSession"];
  const told = (query: string) => entriesFor({ query, sessions, shown: null, commands, languages: [en, zh] }).map((entry) => (entry.kind === "session" ? entry.session.id : entry.command));
  expect(told("")).toEqual(["a", "b", "themeDark", "newSession"]);
  expect(told("dark")).toEqual(["themeDark"]);
  expect(told("主题")).toEqual(["b", "themeDark"]);
  expect(told("theme p")).toEqual(["a"]);
  expect(told("zzz")).toEqual([]);
});

test("the session that is open already is found by its title, but not offered", () => {
  const sessions = [{ id: "here", title: "Theme park" }, { id: "there", title: "Other" }] as Session[];
  const told = (query: string) => entriesFor({ query, sessions, shown: "here", commands: [], languages: [en] });
  expect(told("")).toEqual([{ kind: "session", session: sessions[1] }]);
  expect(told("theme")).toEqual([{ kind: "session", session: sessions[0] }]);
});

test.each([
  [press("k", ctrl), "palette"],
  [press("K", { ...ctrl, shiftKey: true }), null],
  [press("k"), null],
  [press("/", ctrl), "shortcuts"],
  [press("/", { ...ctrl, shiftKey: true, code: "Digit7" }), "shortcuts"],
  [press("O", { ...ctrl, shiftKey: true }), "newSession"],
  [press("\\", { ...ctrl, code: "Backslash" }), "newBeside"],
  [press("|", { ...ctrl, shiftKey: true, code: "Backslash" }), "splitDown"],
  [press("F6"), "nextPane"],
  [press("F6", { shiftKey: true }), "previousPane"],
  [press("k", { ...ctrl, altKey: true }), null],
  [press("k", { metaKey: true }), null],
])("the key press %o is %s", (given, command) => {
  expect(commandOf(given, false)).toBe(command);
});

test("a Mac has its own modifier", () => {
  expect(commandOf(press("k", { metaKey: true }), true)).toBe("palette");
  expect(commandOf(press("k", ctrl), true)).toBeNull();
  expect(capsOf({ key: "o", mod: true, shift: true }, true)).toEqual(["⌘", "⇧", "O"]);
  expect(capsOf({ key: "o", mod: true, shift: true }, false)).toEqual(["Ctrl", "Shift", "O"]);
});

test("no shortcut is a bare letter or sign, and none stands twice", () => {
  expect(shortcuts.every(({ key, mod }) => mod || /^f\d+$/.test(key))).toBe(true);
  expect(new Set(shortcuts.map((one) => capsOf(one, false).join("+"))).size).toBe(shortcuts.length);
});

import { expect, test } from "vitest";
import type { Part } from "~/api/types";
import { imagesOf, textOf } from "~/session/message";
import type { Row } from "~/session/rows";
import type { Pane } from "~/workspace/layout";
import { bytesOf, contentOf, fits, isBlank, MESSAGE_BYTES_MAX, withText } from "./content";
import { editOfLast } from "./edit";
import { type Key, meaningOf } from "./keys";
import { targetsOf, toggled } from "./targets";

const image: Part = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };
const enter: Key = { key: "Enter", keyCode: 13, isComposing: false, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false };
const usual = { enterSends: true, empty: false };

test.each<[string, Partial<Key>, { enterSends: boolean; empty: boolean }, string | null]>([
  ["Enter sends", {}, usual, "send"],
  ["Shift+Enter breaks the line", { shiftKey: true }, usual, null],
  ["Ctrl+Enter sends", { ctrlKey: true }, usual, "send"],
  ["Enter breaks the line where the user wants it so", {}, { ...usual, enterSends: false }, null],
  ["Cmd+Enter sends there", { metaKey: true }, { ...usual, enterSends: false }, "send"],
  ["Enter within a composition is the input method's", { isComposing: true }, usual, null],
  ["so is the one that ends it in Safari", { keyCode: 229 }, usual, null],
  ["ArrowUp edits when there is nothing", { key: "ArrowUp" }, { ...usual, empty: true }, "edit-last"],
  ["ArrowUp moves the caret in a text", { key: "ArrowUp" }, usual, null],
  ["Shift+ArrowUp selects", { key: "ArrowUp", shiftKey: true }, { ...usual, empty: true }, null],
])("%s", (_, key, state, meaning) => expect(meaningOf({ ...enter, ...key }, state)).toBe(meaning));

test("a message is text, and parts only with images", () => {
  expect(contentOf("hi", [])).toBe("hi");
  expect(contentOf("hi", [image])).toEqual([{ type: "text", text: "hi" }, image]);
  expect(contentOf(" ", [image])).toEqual([image]);
});

test("a message is taken apart and put together again", () => {
  const content = contentOf("你好", [image]);
  expect([textOf(content), imagesOf(content)]).toEqual(["你好", [image]]);
  expect(withText(content, "再见")).toEqual([{ type: "text", text: "再见" }, image]);
  expect(withText("a", "b")).toBe("b");
});

test("nothing is sent of nothing", () => {
  expect([isBlank(" \n", []), isBlank("", [image]), isBlank("a", [])]).toEqual([true, false, false]);
});

test("the bound counts bytes, not characters", () => {
  expect(bytesOf("中")).toBe(5);
  expect(fits("a".repeat(MESSAGE_BYTES_MAX - 2))).toBe(true);
  expect(fits("a".repeat(MESSAGE_BYTES_MAX + 1))).toBe(false);
  expect(fits("中".repeat(MESSAGE_BYTES_MAX / 2))).toBe(false);
});

test("ArrowUp takes the last message of the user whose place is known", () => {
  const row = (key: string, role: string, content: string, kind: string | null = "message") => ({ key, turn: key.slice(0, 1), role, input: role === "user", content, facts: { kind, parent: "p" } }) as unknown as Row;
  const path = (...rows: Row[]) => ({ keys: rows.map(({ key }) => key), rows: new Map(rows.map((one) => [one.key, one])) });
  const first = row("a/user", "user", "first");
  expect(editOfLast(path(first, row("b/user", "user", "last"), row("b/answer", "assistant", "answer")))).toEqual({ text: "last", parts: [], edits: { parent: "p" } });
  expect(editOfLast(path(row("b/user", "user", "just sent", null)))).toBeNull();
  expect(editOfLast(path())).toBeNull();
  expect(editOfLast(path(first, row("b/user", "user", "one"), row("b/m2", "user", "of two")))).toBeNull();
});

const pane = (id: string, session: string): Pane => ({ kind: "pane", id, session, fresh: false });

test("a broadcast reaches a session once, in however many panes it stands", () => {
  const panes = [pane("1", "a"), pane("2", "b"), pane("3", "a")];
  const targets = targetsOf(panes, ["3"]);
  expect(targets.map(({ pane: { session }, number, checked }) => [session, number, checked])).toEqual([
    ["a", 1, true],
    ["b", 2, false],
  ]);
  expect(toggled(panes, ["3"], "a", false)).toEqual([]);
  expect(toggled(panes, [], "a", true)).toEqual(["1", "3"]);
});

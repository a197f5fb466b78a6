import { expect, test } from "vitest";
import type { Config, Provider } from "~/api/types";
import { changeOf, formOf } from "./form";
import { newConfig } from "./new";
import { configOf, echoIsDefault, needsKey, NO_MODEL, stateOf } from "./state";

const config = {
  id: "a",
  name: "DeepSeek",
  provider: "deepseek",
  base_url: "https://api.deepseek.com",
  model: "deepseek-flash",
  system: null,
  params: { temperature: 0.5, top_p: 0.9 },
  window: { messages: 20, tokens: null },
  has_key: true,
  default: true,
} as unknown as Config;

const provider = { id: "deepseek", name: "DeepSeek", base_url: "https://api.deepseek.com", needs_key: true } as Provider;
const before = formOf(config, provider.base_url);

test("a form shows neither the key nor the preset's own address", () => {
  expect(before).toMatchObject({ api_key: "", base_url: "", temperature: "0.5", params: '{\n  "top_p": 0.9\n}', messages: "20", tokens: "" });
});

test("an untouched form changes nothing", () => {
  expect(changeOf(before, before)).toEqual({ change: {}, problems: {} });
});

test("only what changed is sent, under the server's names", () => {
  const after = { ...before, name: " Mine ", api_key: " sk-1 ", base_url: "http://127.0.0.1:9", tokens: "8000", temperature: "" };
  expect(changeOf(before, after).change).toEqual({
    name: "Mine",
    api_key: "sk-1",
    base_url: "http://127.0.0.1:9",
    window: { messages: 20, tokens: 8000 },
    params: { top_p: 0.9 },
  });
});

test("taking something away sends null", () => {
  const with_ = { ...before, base_url: "http://127.0.0.1:9", system: "Be brief." };
  expect(changeOf(with_, before).change).toEqual({ base_url: null, system: null });
});

test.each([
  [{ name: " " }, { name: "required" }],
  [{ model: "" }, { model: "required" }],
  [{ params: "[1]" }, { params: "params" }],
  [{ params: "{top_p: 1}" }, { params: "params" }],
  [{ temperature: "3" }, { temperature: "temperature" }],
  [{ messages: "1.5" }, { "window.messages": "messages" }],
  [{ tokens: "99" }, { "window.tokens": "tokens" }],
])("%o is refused at its field", (change, problems) => {
  expect(changeOf(before, { ...before, ...change }).problems).toEqual(problems);
});

test("a vendor's own server needs a key, one's own does not", () => {
  expect(needsKey(provider, null)).toBe(true);
  expect(needsKey(provider, "https://api.deepseek.com/beta")).toBe(true);
  expect(needsKey(provider, "http://127.0.0.1:8000/v1")).toBe(false);
  expect(needsKey({ ...provider, needs_key: false }, null)).toBe(false);
});

test("the state of a config", () => {
  expect(stateOf(config, [provider])).toBe("ready");
  expect(stateOf({ ...config, has_key: false }, [provider])).toBe("no_key");
  expect(stateOf({ ...config, model: "-" }, [provider])).toBe("no_model");
});

test("no config is the default one; a deleted one is none", () => {
  expect(configOf([config], null)).toBe(config);
  expect(configOf([config], "gone")).toBeUndefined();
});

test("a key is stored before there is a model, and corrected without one", () => {
  const made = newConfig(provider, { key: "sk-wrong", address: "", fromServer: false });
  expect(made).toMatchObject({ model: NO_MODEL, api_key: "sk-wrong" });
  expect(made).not.toHaveProperty("default");
  const stored = formOf({ ...config, model: NO_MODEL }, provider.base_url);
  expect(changeOf(stored, { ...stored, api_key: "sk-right" })).toEqual({ change: { api_key: "sk-right" }, problems: {} });
});

test("a model that answers takes the place of the echo as the default, not that of another model", () => {
  const echo = { ...config, provider: "echo" };
  expect(echoIsDefault([echo, { ...config, default: false }])).toBe(true);
  expect(echoIsDefault([{ ...echo, default: false }, config])).toBe(false);
});

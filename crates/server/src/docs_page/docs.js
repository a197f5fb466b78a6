// Draws openapi.json. No library, no request to anywhere else; text of the description only ever becomes text nodes.
"use strict";

const METHODS = ["get", "post", "patch", "put", "delete", "head", "options"];
let api = {};

start();

async function start() {
  const state = document.getElementById("state");
  try {
    const answer = await fetch("openapi.json", { headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(`openapi.json: status ${answer.status}`);
    api = await answer.json();
  } catch (error) {
    state.textContent = `Could not load the description: ${error.message}`;
    return;
  }
  state.remove();
  draw(operations());
}

// ---- reading the description ----

function operations() {
  const found = [];
  for (const [path, item] of Object.entries(api.paths ?? {})) {
    for (const method of METHODS) {
      const op = item[method];
      if (!op) continue;
      const params = [...(item.parameters ?? []), ...(op.parameters ?? [])].map(deref);
      found.push({ ...op, method, path, params, tag: op.tags?.[0] ?? "Other", id: anchor(method, path) });
    }
  }
  return found;
}

function anchor(method, path) {
  return `${method}${path.replace(/[^A-Za-z0-9]+/g, "-").replace(/-$/, "")}`;
}

/** The object a `$ref` points to, with what stands beside the `$ref` kept; a chain of them is followed a few steps. */
function deref(object) {
  for (let step = 0; object?.$ref && step < 8; step++) {
    const { $ref, ...beside } = object;
    const keys = $ref.replace(/^#\//, "").split("/").map((key) => key.replace(/~1/g, "/").replace(/~0/g, "~"));
    object = { ...keys.reduce((at, key) => at?.[key], api), ...beside };
  }
  return object ?? {};
}

const refName = (schema) => schema?.$ref?.split("/").pop();
const isNull = (schema) => schema?.type === "null";

/** `{ schema, nullable }`: a choice between null and one other thing is that thing, nullable. */
function withoutNull(schema) {
  const choices = schema?.oneOf ?? schema?.anyOf;
  const others = choices?.filter((choice) => !isNull(choice));
  if (choices && others.length === 1) return { schema: { ...others[0], description: schema.description ?? others[0].description }, nullable: others.length < choices.length };
  return { schema: schema ?? {}, nullable: Array.isArray(schema?.type) && schema.type.includes("null") };
}

function typeName(given, depth = 0) {
  const { schema, nullable } = withoutNull(given);
  const name = plainTypeName(schema, depth);
  return nullable ? `${name} | null` : name;
}

function plainTypeName(schema, depth) {
  if (schema.$ref) return refName(schema);
  if (depth > 4) return "…";
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return choices.map((choice) => choice.title ?? typeName(choice, depth + 1)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.allOf) return schema.allOf.map((part) => typeName(part, depth + 1)).join(" & ");
  const types = [schema.type].flat().filter((type) => type && type !== "null");
  if (types.includes("array")) return `${typeName(schema.items, depth + 1)}[]`;
  if (types.length === 0) return schema.properties ? "object" : "any";
  return types.join(" | ") + (schema.format ? ` (${schema.format})` : "");
}

/** `[name, schema, required]` of an object's members, those of `allOf` parts included. */
function members(schema, depth = 0) {
  const all = depth > 8 ? [] : (schema.allOf ?? []).flatMap((part) => members(deref(part), depth + 1));
  const required = new Set(schema.required ?? []);
  return [...all, ...Object.entries(schema.properties ?? {}).map(([name, member]) => [name, member, required.has(name)])];
}

/** A value that fits, for the example request: its required members, or its first one, and no deeper than it must be. */
function sample(given, depth = 0) {
  const schema = deref(withoutNull(given).schema);
  const example = schema.example ?? schema.examples?.[0] ?? schema.default ?? schema.const ?? schema.enum?.[0];
  if (example !== undefined) return example;
  if (depth > 5) return null;
  const choice = (schema.oneOf ?? schema.anyOf)?.find((choice) => !isNull(choice));
  if (choice) return sample(choice, depth + 1);
  const type = [schema.type].flat().find((type) => type !== "null");
  if (type === "array") return [sample(schema.items, depth + 1)];
  if (type === "integer" || type === "number") return schema.minimum ?? 1;
  if (type === "boolean") return true;
  if (type === "string") return "…";
  const all = members(schema);
  const required = all.filter(([, , required]) => required);
  const needed = required.length > 0 || depth > 0 ? required : all.slice(0, 1);
  return Object.fromEntries(needed.map(([name, member]) => [name, sample(member, depth + 1)]));
}

function curl(op) {
  const url = location.origin + op.path;
  const query = op.params.filter((param) => param.in === "query" && param.required);
  const search = query.map((param) => `${param.name}=${param.example ?? sample(param.schema)}`).join("&");
  const lines = [`curl ${streams(op) ? "-N " : ""}${op.method === "get" ? "" : `-X ${op.method.toUpperCase()} `}${quoted(url + (search && `?${search}`))}`];
  const ways = op.security ?? api.security ?? [];
  if (ways.length > 0 && ways.every((way) => Object.keys(way).length > 0)) {
    lines.push('-H "Authorization: Bearer $TURNWISE_KEY"');
  }
  const [type, media] = Object.entries(deref(op.requestBody).content ?? {})[0] ?? [];
  if (media) {
    const example = media.example ?? Object.values(media.examples ?? {})[0]?.value ?? sample(media.schema);
    lines.push(`-H ${quoted(`Content-Type: ${type}`)}`, `-d ${quoted(JSON.stringify(example, null, 2))}`);
  }
  return lines.join(" \\\n  ");
}

const quoted = (text) => `'${text.replace(/'/g, "'\\''")}'`;

function streams(op) {
  const types = Object.values(op.responses ?? {}).flatMap((answer) => Object.keys(deref(answer).content ?? {}));
  return op.method === "get" && types.includes("text/event-stream");
}

// ---- drawing ----

/** An element with attributes and children; strings become text. */
function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return element;
}

/** Paragraphs at blank lines, `code` between back-ticks; nothing else of Markdown. */
function prose(text) {
  const paragraphs = (text ?? "").trim().split(/\n\s*\n/).filter(Boolean);
  return paragraphs.map((paragraph) => el("p", {}, paragraph.split("`").map((part, i) => (i % 2 ? el("code", {}, part) : part))));
}

function draw(ops) {
  document.title = `${api.info?.title ?? "API"} · reference`;
  document.getElementById("title").textContent = api.info?.title ?? "API reference";
  document.getElementById("version").textContent = api.info?.version ?? "";
  const main = document.getElementById("main");
  const list = document.getElementById("list");
  const keys = api.components?.securitySchemes && "Where API keys are in use, send one with every request: `Authorization: Bearer tw_…`.";
  main.append(el("div", { class: "about" }, prose(api.info?.description), prose(keys)));

  const described = new Map((api.tags ?? []).map((tag) => [tag.name, tag.description]));
  const tags = new Set([...described.keys(), ...ops.map((op) => op.tag)]);
  for (const tag of tags) {
    const own = ops.filter((op) => op.tag === tag);
    if (own.length === 0) continue;
    main.append(el("section", { class: "group" }, el("h2", {}, tag), prose(described.get(tag)), own.map(article)));
    list.append(el("section", {}, el("h2", {}, tag), el("ul", {}, own.map(entry))));
  }

  const search = document.getElementById("search");
  search.addEventListener("input", () => filter(ops, search.value));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      filter(ops, "");
    }
  });
  window.addEventListener("hashchange", mark);
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
  mark();
}

const method = (op) => el("span", { class: `method ${op.method}` }, op.method.toUpperCase());

function entry(op) {
  const link = el("a", { href: `#${op.id}`, title: op.summary }, method(op), el("span", { class: "path" }, op.path));
  return el("li", { "data-op": op.id }, link);
}

function mark() {
  for (const link of document.querySelectorAll("nav li a")) {
    if (link.getAttribute("href") === location.hash) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

function filter(ops, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let left = 0;
  for (const op of ops) {
    const about = [op.method, op.path, op.summary, op.operationId, op.tag, op.description].join(" ").toLowerCase();
    const shown = words.every((word) => about.includes(word));
    left += shown;
    document.querySelector(`[data-op="${op.id}"]`).hidden = !shown;
    document.getElementById(op.id).hidden = !shown;
  }
  for (const group of document.querySelectorAll("nav section, section.group")) {
    group.hidden = group.querySelector("li:not([hidden]), article:not([hidden])") === null;
  }
  document.getElementById("nothing").hidden = left > 0;
}

function article(op) {
  const heading = el("h3", {}, method(op), el("a", { href: `#${op.id}`, class: op.deprecated ? "path deprecated" : "path" }, op.path));
  const body = deref(op.requestBody);
  return el(
    "article",
    { id: op.id },
    el("header", {}, heading, el("span", { class: "quiet" }, op.summary)),
    el(
      "div",
      { class: "inside" },
      prose(op.description),
      op.params.length > 0 && el("h4", {}, "Parameters"),
      op.params.length > 0 && el("dl", {}, op.params.map((param) => row(param.name, param.schema, param.required, param.description, param.in))),
      Object.entries(body.content ?? {}).map(([type, media]) => [
        el("h4", {}, "Body ", el("span", { class: "quiet" }, type)),
        prose(body.description),
        shape(media.schema),
      ]),
      el("h4", {}, "Answers"),
      Object.entries(op.responses ?? {}).map(([status, answer]) => answers(status, deref(answer))),
      el("h4", {}, "Example"),
      example(curl(op)),
    ),
  );
}

function answers(status, answer) {
  const good = /^[123]/.test(status);
  const title = el("summary", {}, el("span", { class: `status ${good ? "ok" : "bad"}` }, status), ` ${answer.description ?? ""}`);
  return lazy("answer", title, () => {
    const contents = Object.entries(answer.content ?? {});
    if (contents.length === 0) return [el("p", { class: "quiet" }, "No body.")];
    return contents.flatMap(([type, media]) => [el("p", { class: "quiet" }, el("code", {}, type)), shape(media.schema ?? media.itemSchema)]);
  });
}

/** A `details` whose inside is made when it is first opened: schemas refer to themselves. */
function lazy(kind, summary, inside) {
  const details = el("details", { class: kind }, summary);
  details.addEventListener("toggle", () => details.append(el("div", { class: "nested" }, inside())), { once: true });
  return details;
}

/** A schema at the top of a body: its members at once, or its type. */
function shape(given) {
  const { schema } = withoutNull(given);
  const rows = inner(schema);
  const named = el("p", { class: "quiet" }, el("code", {}, typeName(given)));
  return rows.length > 0 ? el("div", {}, refName(schema) ? named : "", rows) : named;
}

/** What can be shown inside a schema: members, choices, or what an array or map holds. */
function inner(given) {
  const schema = deref(withoutNull(given).schema);
  const parts = members(schema);
  const shown = parts.length > 0 ? [el("dl", {}, parts.map(([name, member, required]) => row(name, member, required)))] : [];
  const choices = (schema.oneOf ?? schema.anyOf ?? []).filter((choice) => !isNull(choice));
  if (choices.length > 0) shown.push(el("dl", {}, choices.map((choice) => row(choice.title ?? "either", choice))));
  if (schema.items && inner(schema.items).length > 0) shown.push(...inner(schema.items));
  const extra = schema.additionalProperties;
  if (extra && typeof extra === "object" && Object.keys(extra).length > 0) shown.push(el("dl", {}, row("any key", extra)));
  return shown;
}

function hasInner(given, depth = 0) {
  const schema = deref(withoutNull(given).schema);
  if (members(schema).length > 0 || schema.oneOf || schema.anyOf) return true;
  const held = schema.items ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : null);
  return Boolean(held) && depth < 4 && (held === schema.additionalProperties || hasInner(held, depth + 1));
}

function row(name, given, required, description, where) {
  const schema = deref(withoutNull(given).schema);
  const title = el(
    "dt",
    {},
    el("span", { class: schema.deprecated ? "name deprecated" : "name" }, name),
    el("span", { class: "type" }, typeName(given)),
    where && el("span", { class: "quiet" }, where),
    required && el("span", { class: "needed" }, "required"),
  );
  const nested = hasInner(given) && lazy("schema", el("summary", {}, refName(schema) ?? "Show what is inside"), () => inner(given));
  return el("div", { class: "row" }, title, el("dd", {}, prose(description ?? given?.description ?? schema.description), facts(schema), nested));
}

function facts(schema) {
  const said = [];
  if (schema.enum) said.push(`one of ${schema.enum.map((value) => JSON.stringify(value)).join(", ")}`);
  if (schema.default !== undefined && schema.default !== null) said.push(`default ${JSON.stringify(schema.default)}`);
  for (const [key, words] of [["minimum", "at least"], ["maximum", "at most"], ["minLength", "length at least"], ["maxLength", "length at most"], ["maxItems", "items at most"], ["pattern", "pattern"]]) {
    if (schema[key] !== undefined && schema[key] !== null) said.push(`${words} ${schema[key]}`);
  }
  return said.length > 0 && el("p", { class: "facts" }, said.join(" · "));
}

function example(text) {
  const button = el("button", { class: "copy", type: "button", onclick: () => copy(text, button) }, "Copy");
  return el("div", { class: "code" }, el("pre", { tabindex: "0" }, el("code", {}, text)), button);
}

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // Without https browsers offer no clipboard: select it, so that one key copies.
    const range = document.createRange();
    range.selectNodeContents(button.previousElementSibling);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    button.textContent = "Ctrl+C";
  }
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

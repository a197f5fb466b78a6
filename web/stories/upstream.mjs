/**
 * A model server that says what a story tells it to: OpenAI's chat completions, streamed, on a free port of loopback.
 *
 * A script is a list of steps, or a function from the request to one:
 *   { text, everyMs?, chunk? }       says it, in pieces of `chunk` characters every `everyMs`; all at once without
 *   { reasoning, everyMs?, chunk? }  the same as thought
 *   { tokens, rate, token? }         that many tokens, `rate` a second: `token(i)`, or `t0 t1 t2 …`
 *   { toolCall: { name, arguments } }
 *   { wait: gate }                   until the story opens the gate
 *   { hang: true }                   says nothing more
 *   { cut: true }                    drops the connection
 *   { status, body?, headers? }      refuses; only as the first step
 *   { finish } · { usage }           other than "stop" and a count of the pieces
 */
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

export async function startUpstream() {
  const upstream = new Upstream();
  await upstream.listen();
  return upstream;
}

export class Gate {
  constructor() {
    this.opened = new Promise((resolve) => (this.open = resolve));
    /** Resolves when a script has come to the gate. */
    this.reached = new Promise((resolve) => (this.reach = resolve));
  }
}

class Upstream {
  /** What was asked for turns, oldest first. */
  requests = [];
  /** What was asked for titles. */
  titles = [];
  #rules = [];
  #server = createServer((incoming, outgoing) => this.#serve(incoming, outgoing).catch(() => outgoing.destroy()));

  async listen() {
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.#server.address().port}/v1`;
  }

  /** Answers every message whose text has `match` in it (a string, or a pattern). The newest rule counts. */
  on(match, script) {
    this.#rules.unshift({ match, script, left: Infinity });
  }

  /** The same for the next such message only. Of several, the one that was told first. */
  once(match, script) {
    const at = this.#rules.findLastIndex((rule) => rule.left === 1 && String(rule.match) === String(match));
    this.#rules.splice(at + 1, 0, { match, script, left: 1 });
  }

  /** Answers everything else. */
  script(script) {
    this.#rules.push({ match: /^/, script, left: Infinity });
  }

  gate() {
    return new Gate();
  }

  /** The requests whose last user message has `text` in it. */
  asked(text) {
    return this.requests.filter((request) => request.lastUser.includes(text));
  }

  /** Forgets rules and requests, and drops what still streams. */
  reset() {
    this.#rules = [];
    this.requests = [];
    this.titles = [];
    this.#server.closeAllConnections();
  }

  stop() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #steps(request) {
    const fits = ({ match, left }) => left > 0 && (typeof match === "string" ? request.lastUser.includes(match) : match.test(request.lastUser));
    const rule = this.#rules.find(fits);
    if (!rule) return [{ text: `You said: ${request.lastUser}` }];
    rule.left -= 1;
    return typeof rule.script === "function" ? rule.script(request) : rule.script;
  }

  async #serve(incoming, outgoing) {
    const body = await bodyOf(incoming);
    if (incoming.url.endsWith("/models")) {
      return json(outgoing, 200, { object: "list", data: [{ id: "scripted-1", object: "model" }, { id: "scripted-2", object: "model" }] });
    }
    const request = { headers: incoming.headers, body, lastUser: lastUser(body), at: Date.now(), ended: null };
    const title = request.lastUser.endsWith("\nTitle:");
    request.number = (title ? this.titles : this.requests).push(request);
    outgoing.on("close", () => (request.ended ??= "left"));
    outgoing.on("finish", () => (request.ended ??= "completed"));
    const steps = title ? [{ text: "A short title" }] : this.#steps(request);
    const refusal = steps.find((step) => step.status);
    if (refusal) {
      return json(outgoing, refusal.status, refusal.body ?? { error: { message: `scripted ${refusal.status}` } }, refusal.headers);
    }
    await stream(request, steps, outgoing);
  }
}

async function stream(request, steps, outgoing) {
  outgoing.writeHead(200, { "content-type": "text/event-stream", "x-request-id": `up_${request.number}` }).flushHeaders();
  let pieces = 0;
  const chunk = (choices, rest) => {
    const data = { id: `chatcmpl-${request.number}`, object: "chat.completion.chunk", created: 1_700_000_000, model: request.body.model, choices, ...rest };
    outgoing.write(`data: ${JSON.stringify(data)}\n\n`);
  };
  const delta = (delta, finish_reason = null) => chunk([{ index: 0, delta, finish_reason }]);
  delta({ role: "assistant", content: "" });
  for await (const step of played(steps)) {
    if (outgoing.destroyed) return;
    // What was written before has to arrive first.
    if (step.cut) return outgoing.write("\n", () => outgoing.destroy());
    pieces += 1;
    delta(step);
  }
  delta({}, finish(steps));
  chunk([], { usage: usage(request, steps, pieces) });
  outgoing.end("data: [DONE]\n\n");
}

/** The deltas of a script, each when it is due. */
async function* played(steps) {
  let calls = 0;
  for (const step of steps) {
    if (step.wait) {
      step.wait.reach();
      await step.wait.opened;
    }
    if (step.hang) await new Promise(() => {});
    if (step.cut) yield step;
    if (step.text) yield* paced(cut(step.text, step.chunk), step.everyMs, (content) => ({ content }));
    if (step.reasoning) yield* paced(cut(step.reasoning, step.chunk), step.everyMs, (reasoning_content) => ({ reasoning_content }));
    if (step.tokens) {
      const token = step.token ?? ((index) => `t${index} `);
      yield* paced(Array.from({ length: step.tokens }, (_, index) => token(index)), 1000 / step.rate, (content) => ({ content }));
    }
    if (step.toolCall) {
      const { name, arguments: given } = step.toolCall;
      yield { tool_calls: [{ index: calls, id: `call_${calls}`, type: "function", function: { name, arguments: JSON.stringify(given) } }] };
      calls += 1;
    }
  }
}

async function* paced(pieces, everyMs, delta) {
  const start = performance.now();
  for (const [index, piece] of pieces.entries()) {
    const early = everyMs ? start + index * everyMs - performance.now() : 0;
    if (early > 0) await pause(early);
    yield delta(piece);
  }
}

const cut = (text, chunk) => {
  if (!chunk) return [text];
  const characters = [...text];
  return Array.from({ length: Math.ceil(characters.length / chunk) }, (_, index) => characters.slice(index * chunk, (index + 1) * chunk).join(""));
};

const finish = (steps) => steps.find((step) => step.finish)?.finish ?? (steps.some((step) => step.toolCall) ? "tool_calls" : "stop");

function usage(request, steps, completion_tokens) {
  const prompt_tokens = Math.ceil(JSON.stringify(request.body.messages ?? []).length / 4);
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens, ...steps.find((step) => step.usage)?.usage };
}

function lastUser(body) {
  const content = body.messages?.findLast((message) => message.role === "user")?.content ?? "";
  return typeof content === "string" ? content : content.map((part) => part.text ?? "").join("");
}

async function bodyOf(incoming) {
  let text = "";
  for await (const piece of incoming.setEncoding("utf8")) text += piece;
  return text ? JSON.parse(text) : {};
}

function json(outgoing, status, body, headers = {}) {
  outgoing.writeHead(status, { "content-type": "application/json", "x-request-id": "up_refused", ...headers });
  outgoing.end(JSON.stringify(body));
}

/** The real binary on a free port with a data directory of its own. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const READY_MS = 20_000;

export function findBinary() {
  const target = fileURLToPath(new URL("../../target/", import.meta.url));
  const places = process.env.TURNWISE_BIN ? [process.env.TURNWISE_BIN] : [`${target}debug/turnwise`, `${target}release/turnwise`];
  const found = places.find(existsSync);
  if (!found) throw new Error(`There is no turnwise binary at ${places.join(" or ")}. Run \`cargo build -p turnwise\`, or set TURNWISE_BIN.`);
  return found;
}

/** `options` are flags of `serve` (`{ "queue-max": 4 }`), `env` its environment. */
export async function startServer({ options = {}, env = {} } = {}) {
  const server = new Server(options, env);
  await server.start();
  return server;
}

class Server {
  #data = mkdtempSync(join(tmpdir(), "turnwise-story-"));
  #listen = "127.0.0.1:0";
  #child = null;
  #end = () => this.#child?.kill("SIGKILL");
  log = "";

  constructor(options, env) {
    this.options = { "backoff-ms": 5, "shutdown-ms": 200, ...options };
    this.env = env;
    process.on("exit", this.#end);
  }

  get running() {
    return this.#child !== null;
  }

  /** Starts on the address that it had before, so that the page finds it again. */
  async start() {
    const flags = Object.entries({ ...this.options, listen: this.#listen, data: this.#data }).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn(findBinary(), ["serve", ...flags], { env: { PATH: process.env.PATH, ...this.env }, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    this.ended = new Promise((resolve) => child.once("exit", resolve)).then(() => (this.#child = null));
    child.stderr.on("data", (text) => (this.log += text));
    this.origin = await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`turnwise was not ready within ${READY_MS} ms:\n${this.log}`)), READY_MS);
      child.once("exit", (code) => reject(new Error(`turnwise ended with ${code}:\n${this.log}`)));
      let out = "";
      child.stdout.on("data", (text) => {
        const ready = /ready on (http:\/\/\S+)/.exec((out += text));
        if (!ready) return;
        clearTimeout(late);
        resolve(ready[1]);
      });
    });
    this.#listen = new URL(this.origin).host;
  }

  async #signal(name) {
    this.#child?.kill(name);
    await this.ended;
  }

  kill = () => this.#signal("SIGKILL");
  stop = () => this.#signal("SIGTERM");

  async restart() {
    await this.stop();
    await this.start();
  }

  /** Ends it and removes its data. */
  async remove() {
    await this.kill();
    process.off("exit", this.#end);
    rmSync(this.#data, { recursive: true, force: true });
  }

  /** The body of the answer; an error when the status is none of success, unless `refused` is set. */
  async api(method, path, body, { refused = false } = {}) {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const response = await fetch(this.origin + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await response.text();
    const answer = text && response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text;
    if (!response.ok && !refused) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return answer;
  }

  config = (upstream, config = {}) =>
    this.api("POST", "/configs", { name: config.id ?? "Scripted", provider: "openai", base_url: upstream.url, api_key: "sk-story", model: "scripted-1", ...config });

  /** The id of a new session. Its queue pauses after a failure, as in sessions that the page makes. */
  session = async (title, rest = {}) => (await this.api("POST", "/sessions", { title, on_failure: "pause", ...rest })).id;

  /** Says something and waits for the end of the turn; with `wait: false` only for its beginning. */
  say = (session_id, message, rest = {}) => this.api("POST", "/chat", { session_id, message, ...rest });

  /** The session as the page sees it: newest messages, `active_turn` with its text so far, `queue`. */
  look = (session) => this.api("GET", `/sessions/${session}`);

  messages = async (session) => (await this.api("GET", `/sessions/${session}/messages?limit=100&order=asc`)).data;

  /** Many sessions, or a long one, in little time: `echo` answers them as fast as it can. Gives the ids of the sessions. */
  async seed({ sessions = 1, turns = 0, title = (index) => `Session ${index + 1}`, message = (index) => `Message ${index + 1}` }) {
    const echo = { id: "seed", name: "seed", provider: "echo", model: "echo", params: { tokens_per_second: 0 } };
    await this.api("POST", "/configs", echo, { refused: true });
    const ids = [];
    await inParallel(16, sessions, async (index) => {
      ids[index] = await this.session(title(index));
      for (let turn = 0; turn < turns; turn += 1) await this.say(ids[index], message(turn), { config_id: "seed" });
    });
    return ids;
  }
}

async function inParallel(width, count, work) {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, worker));
}

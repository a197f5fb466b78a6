/** Opens what was found: the session, the branch that it is on, and the place in it. */
import { api, ask } from "~/api/client";
import type { Hit, Message } from "~/api/types";
import { backToMain, showTurn } from "~/session/actions";
import { sessionState } from "~/session/store";
import { keyOf } from "~/session/rows";
import { goTo } from "~/workspace/go";
import { reveal } from "~/workspace/reveal";
import type { Result } from "./results";

export async function openResult({ session, hit }: Result, beside: boolean): Promise<void> {
  if (!hit?.turn_id || !hit.message_id) return goTo(session, beside);
  const main = await foundOn(hit).catch(() => undefined);
  if (main === undefined) return goTo(session, beside);
  if (main && (sessionState(session)?.branch ?? null) === null) {
    reveal(session, keyOf(main));
    return goTo(session, beside);
  }
  goTo(session, beside);
  if (!(await isReady(session))) return;
  const message = main ?? (await foundOn(hit, hit.turn_id).catch(() => null));
  await (main ? backToMain(session) : showTurn(session, hit.turn_id));
  if (message) reveal(session, keyOf(message));
}

/**
 * The message, when it stands on the path that ends with `branch`, or on the main one. Messages are listed in their order:
 * one that is not between its neighbours of a path is on another.
 */
async function foundOn(hit: Hit, branch?: string): Promise<Message | null> {
  const page = (query: { after?: string; before?: string; order: "asc" | "desc" }) =>
    ask(api.GET("/sessions/{id}/messages", { params: { path: { id: hit.session_id }, query: { ...query, ...(branch ? { branch } : {}), limit: 1 } } })).then((list) => list.data[0]);
  const next = await page({ after: hit.message_id ?? "", order: "asc" });
  const found = await page(next ? { before: next.id, order: "asc" } : { order: "desc" });
  return found && found.id === hit.message_id ? found : null;
}

const PATIENCE_MS = 5000;

/** Whether the session, which has just been opened, has been loaded. */
async function isReady(session: string): Promise<boolean> {
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until; await nextFrame()) {
    if (sessionState(session)?.phase === "ready") return true;
  }
  return false;
}

const nextFrame = () => new Promise((resolve) => setTimeout(resolve, 16));

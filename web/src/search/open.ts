/** Opens what was found: the session, the branch that it is on, and the place in it. */
import { api, ask } from "~/api/client";
import type { Hit } from "~/api/types";
import { backToMain, showTurn } from "~/session/actions";
import { sessionState } from "~/session/store";
import { answerKey, userKey } from "~/session/rows";
import { goTo } from "~/workspace/go";
import { reveal } from "~/workspace/reveal";
import type { Result } from "./results";

export async function openResult({ session, hit }: Result, beside: boolean): Promise<void> {
  const turn = hit?.turn_id;
  if (!hit || !turn) return goTo(session, beside);
  const row = hit.role === "assistant" ? answerKey(turn) : userKey(turn);
  const main = await onMainPath(hit).catch(() => true);
  if (main && (sessionState(session)?.branch ?? null) === null) {
    reveal(session, row);
    return goTo(session, beside);
  }
  goTo(session, beside);
  if (!(await isReady(session))) return;
  await (main ? backToMain(session) : showTurn(session, turn));
  reveal(session, row);
}

/** Messages are listed in their order: one that is not between its neighbours of the main path is on another. */
async function onMainPath(hit: Hit): Promise<boolean> {
  const page = (query: { after?: string; before?: string; order: "asc" | "desc" }) =>
    ask(api.GET("/sessions/{id}/messages", { params: { path: { id: hit.session_id }, query: { ...query, limit: 1 } } })).then((list) => list.data[0]?.id);
  const next = await page({ after: hit.message_id ?? "", order: "asc" });
  return (await page({ ...(next ? { before: next } : {}), order: "desc" })) === hit.message_id;
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

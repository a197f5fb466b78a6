/**
 * Sends that the server has not acknowledged. Each waits in localStorage with its idempotency key until it has been:
 * a lost connection, a reload or a second try make no second turn.
 */
import { create } from "zustand";
import { ApiError, api, ask, newId } from "~/api/client";
import { useLink } from "~/api/feed";
import type { Content } from "~/api/types";
import { useSettings } from "~/settings/store";
import { all, keep, read } from "./kept";
import { accepted } from "./store";

export interface Sending {
  key: string;
  session: string;
  /** Makes the session first. */
  creates: { config_id: string | null } | null;
  message: Content;
  /** Continues this turn instead of the head. */
  branches: { parent: string | null } | null;
  at: number;
  /** Why the server would not take it. It stays until the user decides. */
  refused: string | null;
}

/** Those of this tab, oldest first. */
export const useOutbox = create<{ sends: Sending[] }>(() => ({ sends: [] }));

const busy = new Set<string>();

export function startOutbox(): void {
  const left = all<Sending>("send.").map(([, send]) => send);
  useOutbox.setState({ sends: left.sort((a, b) => a.at - b.at) });
  useLink.subscribe(({ state }) => state === "live" && flushAll());
  window.addEventListener("storage", ({ key }) => key?.startsWith("turnwise.send.") && follow(key.slice("turnwise.send.".length)));
  flushAll();
}

/** Two tabs may have the same send: what was delivered, refused or taken back in the other one is so here. */
function follow(key: string): void {
  const now = read<Sending>(`send.${key}`);
  useOutbox.setState(({ sends }) => ({ sends: sends.flatMap((send) => (send.key === key ? (now ?? []) : send)) }));
}

export function post(send: Omit<Sending, "key" | "at" | "refused">): void {
  const whole: Sending = { ...send, key: newId(), at: Date.now(), refused: null };
  keep(`send.${whole.key}`, whole);
  useOutbox.setState(({ sends }) => ({ sends: [...sends, whole] }));
  void flush(whole.session);
}

export function discard(key: string): void {
  keep(`send.${key}`, null);
  useOutbox.setState(({ sends }) => ({ sends: sends.filter((send) => send.key !== key) }));
}

/** Tries a refused send again. */
export function resend(key: string): void {
  change(key, { refused: null });
  const send = useOutbox.getState().sends.find((one) => one.key === key);
  if (send) void flush(send.session);
}

function change(key: string, with_: Partial<Sending>): void {
  useOutbox.setState(({ sends }) => ({ sends: sends.map((send) => (send.key === key ? { ...send, ...with_ } : send)) }));
  const send = useOutbox.getState().sends.find((one) => one.key === key);
  if (send) keep(`send.${key}`, send);
}

const flushAll = () => new Set(useOutbox.getState().sends.map((send) => send.session)).forEach((session) => void flush(session));

/** One session's sends go out one after the other; the next waits for the one before to be acknowledged. */
async function flush(session: string): Promise<void> {
  if (busy.has(session)) return;
  busy.add(session);
  try {
    for (;;) {
      const send = useOutbox.getState().sends.find((one) => one.session === session && !one.refused);
      if (!send || !(await deliver(send))) return;
    }
  } finally {
    busy.delete(session);
  }
}

async function deliver(send: Sending): Promise<boolean> {
  const headers = { "Idempotency-Key": send.key };
  try {
    if (send.creates) {
      const body = { id: send.session, config_id: send.creates.config_id, on_failure: "pause" as const, auto_title: useSettings.getState().titles };
      await ask(api.POST("/sessions", { body, headers: { "Idempotency-Key": `${send.key}-session` } })).catch(alreadyMade);
    }
    const turn = await ask(
      api.POST("/chat", {
        body: { message: send.message, session_id: send.session, wait: false, ...(send.branches ?? {}) },
        headers,
      }),
    );
    discard(send.key);
    accepted(send.session, turn, send.message);
    return true;
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause;
    // Nobody knows whether it arrived: it waits for the link, and its key keeps it single.
    if (cause.unsent || cause.status === 401) {
      if (useLink.getState().state === "live") setTimeout(() => void flush(send.session), 1000);
      return false;
    }
    change(send.key, { refused: cause.message });
    return true;
  }
}

function alreadyMade(cause: unknown): void {
  if (!(cause instanceof ApiError && cause.code === "id_taken")) throw cause;
}

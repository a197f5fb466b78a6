/** Signing in with an API key, where the server wants one. The browser keeps a cookie that no script can read, and no key. */
import { ApiError, api, ask } from "~/api/client";

export const signInState = () => ask(api.GET("/sign-in"));
export const signIn = (key: string) => ask(api.POST("/sign-in", { body: { key } }));
export const signOut = () => ask(api.POST("/sign-out"));

type KeyProblem = "keyMissing" | "keyShape";

/** What one can see of a key without asking. */
export function problemOf(key: string): KeyProblem | null {
  if (key === "") return "keyMissing";
  return /^tw_[\x21-\x7e]+$/.test(key) ? null : "keyShape";
}

type Refusal = "keyWrong" | "tooMany" | "unreachable" | "refused";

export function refusalOf(cause: unknown): Refusal {
  if (!(cause instanceof ApiError)) throw cause;
  if (cause.status === 401) return "keyWrong";
  if (cause.status === 429) return "tooMany";
  return cause.unsent ? "unreachable" : "refused";
}

/** The one way to the server: the generated client, and what goes wrong as one kind of error. */
import createClient from "openapi-fetch";
import type { paths } from "./schema";
import type { ErrorDetail } from "./types";

export const api = createClient<paths>({ baseUrl: "", credentials: "same-origin" });

/** The server refused, or could not be reached (`status` 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly param: string | null = null,
    readonly turnId: string | null = null,
    readonly requestId: string | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** Nobody can say whether the request arrived: it may be sent again under its idempotency key. */
  get unsent(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

const refused = new Set<() => void>();

/** Told when the server wants a key, whatever was asked for. */
export const onRefused = (listener: () => void) => refused.add(listener);

interface Reply<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer, or an `ApiError`. */
export async function ask<T>(request: Promise<Reply<T>>): Promise<T> {
  let reply: Reply<T>;
  try {
    reply = await request;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "unreachable", "The server cannot be reached.");
  }
  if (reply.response.ok) return reply.data as T;
  throw refusal(reply.response, reply.error);
}

export function refusal(response: Response, body: unknown): ApiError {
  if (response.status === 401) refused.forEach((listener) => listener());
  const detail = (body as { error?: Partial<ErrorDetail> } | undefined)?.error;
  return new ApiError(
    response.status,
    detail?.code ?? "unexpected",
    detail?.message ?? `The server answered ${response.status}.`,
    detail?.param ?? null,
    detail?.turn_id ?? null,
    response.headers.get("x-request-id"),
  );
}

/** A new idempotency key, or the id of a thing that the page makes itself. */
export const newId = (): string => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

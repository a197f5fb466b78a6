/** What a search found, in the order in which it is shown. Pure. */
import type { Hit, Session } from "~/api/types";

export interface Piece {
  text: string;
  hit: boolean;
}

export interface Result {
  key: string;
  kind: "title" | "message";
  session: string;
  title: string | null;
  pieces: Piece[];
  role: Hit["role"] | null;
  at: string;
  /** Of a message: where it stands. */
  hit: Hit | null;
  /** The first result of its session. */
  first: boolean;
}

/** Titles first: those that have the text in them as it is, then those that have its words. */
export function resultsOf(query: string, titles: Session[], hits: Hit[]): Result[] {
  const named = titles.map((session): Omit<Result, "first"> => ({
    key: `title ${session.id}`,
    kind: "title",
    session: session.id,
    title: session.title ?? null,
    pieces: marked(session.title ?? "", query),
    role: null,
    at: session.active_at,
    hit: null,
  }));
  const known = new Set(titles.map((session) => session.id));
  const found = hits.filter((hit) => hit.kind === "message" || !known.has(hit.session_id)).map(ofHit);
  const all = [...named, ...found.filter((one) => one.kind === "title"), ...found.filter((one) => one.kind === "message")];
  const sessions = new Set<string>();
  return all.map((one) => ({ ...one, first: !sessions.has(one.session) && sessions.add(one.session) !== null }));
}

function ofHit(hit: Hit): Omit<Result, "first"> {
  const kind = hit.kind === "session" ? "title" : "message";
  const { session_id: session, session_title: title, snippet: pieces, timestamp: at } = hit;
  return { key: `${kind} ${hit.message_id ?? session}`, kind, session, title: title ?? null, pieces, role: hit.role ?? null, at, hit: kind === "message" ? hit : null };
}

/** A text in pieces, with each place marked where the query stands in it. */
export function marked(text: string, query: string): Piece[] {
  const wanted = query.trim().toLocaleLowerCase();
  const lower = text.toLocaleLowerCase();
  // A letter whose small form is longer would move every mark behind it.
  if (wanted === "" || lower.length !== text.length) return [{ text, hit: false }];
  const pieces: Piece[] = [];
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    if (at > from) pieces.push({ text: text.slice(from, at), hit: false });
    from = at + wanted.length;
    pieces.push({ text: text.slice(at, from), hit: true });
  }
  if (from < text.length) pieces.push({ text: text.slice(from), hit: false });
  return pieces;
}

/** Whether the end is followed, and where the reader is when it is not. Pure. */

/** A place in a session, as it is kept: the first row in view and how far its top is below the view's. */
export interface Place {
  key: string;
  offset: number;
  /** The same of the block in that row which is read: the way to it by numbers of children. */
  block: { path: number[]; offset: number } | null;
}

/** At most so far from the end (px) somebody who comes from above is taken for following it. */
const NEAR_PX = 2;

/** A scroll has been seen. One step up is a wish to stay there, however small; only the very end is followed. */
export function follows(before: { following: boolean; top: number }, now: { top: number; gap: number }): boolean {
  if (now.top < before.top) return now.gap < 1;
  return now.gap <= NEAR_PX || before.following;
}

/** What a row is taken to need before it was ever measured. */
export function guess(role: string, chars: number, width: number): number {
  if (role === "system" || role === "tool") return 36;
  const line = Math.max(20, Math.min(width, 736) / 8) * (role === "user" ? 0.8 : 1);
  return (role === "user" ? 80 : 90) + Math.min(200, Math.ceil(chars / line)) * 24;
}

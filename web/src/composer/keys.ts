/** What a key means in the composer. Pure. */
import { composing } from "~/ui/platform";

export interface Key {
  key: string;
  keyCode: number;
  isComposing: boolean;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

type Meaning = "send" | "edit-last" | null;

export function meaningOf(key: Key, { enterSends, empty }: { enterSends: boolean; empty: boolean }): Meaning {
  if (composing(key)) return null;
  const modified = key.ctrlKey || key.metaKey;
  if (key.key === "Enter") return !key.shiftKey && !key.altKey && (modified || enterSends) ? "send" : null;
  const plain = !modified && !key.shiftKey && !key.altKey;
  return key.key === "ArrowUp" && plain && empty ? "edit-last" : null;
}

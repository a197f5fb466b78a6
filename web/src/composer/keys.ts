/** What a key means in the composer. Pure. */
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

/** A key that belongs to the input method: Safari reports the Enter that ends a composition as 229, after its end. */
export const composing = ({ isComposing, keyCode }: Pick<Key, "isComposing" | "keyCode">): boolean => isComposing || keyCode === 229;

export function meaningOf(key: Key, { enterSends, empty }: { enterSends: boolean; empty: boolean }): Meaning {
  if (composing(key)) return null;
  const modified = key.ctrlKey || key.metaKey;
  if (key.key === "Enter") return !key.shiftKey && !key.altKey && (modified || enterSends) ? "send" : null;
  const plain = !modified && !key.shiftKey && !key.altKey;
  return key.key === "ArrowUp" && plain && empty ? "edit-last" : null;
}

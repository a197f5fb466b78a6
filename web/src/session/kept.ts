/** Things kept in this browser, one entry of localStorage each, so that two tabs do not overwrite each other. */
export function read<T>(key: string): T | null {
  try {
    return JSON.parse(localStorage.getItem(`turnwise.${key}`) ?? "null") as T | null;
  } catch {
    return null;
  }
}

export function keep(key: string, value: unknown): void {
  try {
    if (value == null) localStorage.removeItem(`turnwise.${key}`);
    else localStorage.setItem(`turnwise.${key}`, JSON.stringify(value));
  } catch {
    // A full or forbidden storage costs the reload its memory, nothing else.
  }
}

/** All entries whose key begins so, without the prefix. */
export function all<T>(prefix: string): [string, T][] {
  const whole = `turnwise.${prefix}`;
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(whole))
    .map((key): [string, T | null] => [key.slice(whole.length), read<T>(key.slice("turnwise.".length))])
    .filter((entry): entry is [string, T] => entry[1] !== null);
}

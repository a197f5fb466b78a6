/** How well a text fits what is typed. Pure. */
const plain = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLocaleLowerCase();

/** 0 and up, the higher the better; `null` when it does not fit. Every word of the query has to fit. */
export function fit(query: string, text: string): number | null {
  const words = plain(query).split(/\s+/u).filter(Boolean);
  const within = plain(text);
  let sum = 0;
  for (const word of words) {
    const score = whole(word, within) ?? scattered(word, within);
    if (score === null) return null;
    sum += score;
  }
  return sum;
}

/** The best of several names for the same thing. */
export function fitAny(query: string, names: string[]): number | null {
  const scores = names.map((name) => fit(query, name)).filter((score) => score !== null);
  return scores.length > 0 ? Math.max(...scores) : null;
}

const startsWord = (text: string, at: number): boolean => at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1]!);

function whole(word: string, text: string): number | null {
  let best: number | null = null;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    best = Math.max(best ?? 0, at === 0 ? 100 : startsWord(text, at) ? 80 : 50);
    if (best >= 80) break;
  }
  return best;
}

/** Its letters in their order, the first one at the beginning of a word; the closer together the better. */
function scattered(word: string, text: string): number | null {
  if (word.length < 2) return null;
  let best: number | null = null;
  for (let start = text.indexOf(word[0]!); start >= 0; start = text.indexOf(word[0]!, start + 1)) {
    if (!startsWord(text, start)) continue;
    const end = [...word].reduce((at, letter) => (at < 0 ? at : text.indexOf(letter, at) + 1 || -1), start);
    if (end >= 0) best = Math.max(best ?? 0, 40 - Math.min(39, end - start - word.length));
  }
  return best;
}

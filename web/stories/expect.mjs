/** What a story claims. Every claim says in words what was expected. */
export function expect(truth, claim) {
  if (!truth) throw new Error(`expected: ${claim}`);
}

const shown = (value) => {
  const text = typeof value === "string" ? JSON.stringify(value) : JSON.stringify(value) ?? String(value);
  return text.length > 400 ? `${text.slice(0, 200)} … ${text.slice(-200)}` : text;
};

expect.equal = (actual, wanted, claim) => expect(JSON.stringify(actual) === JSON.stringify(wanted), `${claim}\n  wanted ${shown(wanted)}\n  found  ${shown(actual)}`);

expect.includes = (text, part, claim) => expect(text.includes(part), `${claim}\n  wanted ${shown(part)}\n  in     ${shown(text)}`);

/** Waits until `look()` gives something true, and gives that. What `look` throws counts as not yet. */
expect.soon = async (look, claim, ms = 8000) => {
  const end = Date.now() + ms;
  for (let last; ; ) {
    try {
      last = await look();
      if (last) return last;
    } catch (error) {
      last = error.message;
    }
    expect(Date.now() < end, `${claim}\n  within ${ms} ms; the last look gave ${shown(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

export const search = {
  field: "Search sessions",
  clear: "Clear the search",
  results: "Search results",
  titles: "Titles",
  messages: "Messages",
  searching: "Searching…",
  found: (count: number) => (count === 1 ? "1 result" : `${count} results`),
  nothing: (query: string) => `Nothing found for “${query}”`,
  advice: "Every word has to occur. Try fewer words, or the beginning of one: three letters are enough.",
  failed: "The search did not work. Try again in a moment.",
  user: "You",
  assistant: "Answer",
};

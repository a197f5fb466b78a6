/** Looks for a text in titles and messages. `opening` is told when a result is opened. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { api, ask } from "~/api/client";
import { type Choice, useChoice } from "~/ui/useChoice";
import { openResult } from "./open";
import { type Result, resultsOf } from "./results";

const DEBOUNCE_MS = 120;
const QUERY_MAX = 200;
const INDEXED_MS = 1500;
const TITLES = 10;
const HITS = 50;

export interface Search {
  query: string;
  /** The answer to what stands in the field is not there yet. */
  waiting: boolean;
  failed: boolean;
  choice: Choice<Result>;
  open: (result: Result, beside: boolean) => void;
}

export function useSearch(text: string, opening: () => void): Search {
  const wanted = text.trim().slice(0, QUERY_MAX);
  const query = useLate(wanted);
  const answer = useQuery({
    queryKey: ["search", query],
    queryFn: ({ signal }) => look(query, signal),
    enabled: query !== "",
    placeholderData: keepPreviousData,
    // What was said in the last second may not be indexed yet.
    refetchInterval: ({ state }) => (state.dataUpdateCount < 2 ? INDEXED_MS : false),
  });
  const found = useMemo(() => (query && answer.data ? resultsOf(answer.data.query, answer.data.titles, answer.data.hits) : []), [query, answer.data]);
  const open = (result: Result, beside: boolean) => {
    opening();
    void openResult(result, beside);
  };
  const choice = useChoice(found, query, open);
  return { query, waiting: wanted !== query || answer.isPlaceholderData || answer.isLoading, failed: answer.isError, choice, open };
}

async function look(query: string, signal: AbortSignal) {
  const [titles, hits] = await Promise.all([
    ask(api.GET("/sessions", { params: { query: { q: query, limit: TITLES } }, signal })),
    ask(api.GET("/search", { params: { query: { q: query, limit: HITS } }, signal })),
  ]);
  return { query, titles: titles.data, hits: hits.data };
}

/** A text once it has stood still for a moment; an empty one at once. */
function useLate(text: string): string {
  const [late, setLate] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setLate(text), text === "" ? 0 : DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return text === "" ? "" : late;
}

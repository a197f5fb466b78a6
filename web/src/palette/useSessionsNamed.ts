/** Sessions to choose from, the newest first: those that are loaded, and those that the server finds by this title. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, ask } from "~/api/client";
import type { Session } from "~/api/types";
import { useList } from "~/session/list";

const FOUND_MAX = 20;

export function useSessionsNamed(query: string): Session[] {
  const title = query.trim().slice(0, 200);
  const loaded = useList((list) => list.sessions);
  const found = useQuery({
    queryKey: ["sessions", "named", title],
    queryFn: ({ signal }) => ask(api.GET("/sessions", { params: { query: { q: title, limit: FOUND_MAX } }, signal })).then((list) => list.data),
    enabled: title !== "",
  }).data;
  return useMemo(() => {
    const all = { ...Object.fromEntries((found ?? []).map((one) => [one.id, one])), ...loaded };
    return Object.values(all).sort((a, b) => (a.active_at < b.active_at ? 1 : -1));
  }, [found, loaded]);
}

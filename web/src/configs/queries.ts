/** Configs and providers, as the server has them. */
import { QueryClient, useQuery } from "@tanstack/react-query";
import { api, ask } from "~/api/client";
import type { Config, ConfigTest, Provider } from "~/api/types";

export const queries = new QueryClient({ defaultOptions: { queries: { staleTime: 10_000, retry: 1, refetchOnWindowFocus: true } } });

const none: never[] = [];
const configsQuery = { queryKey: ["configs"], queryFn: () => ask(api.GET("/configs")).then((list) => list.data) };

export const useConfigs = (): Config[] => useQuery(configsQuery).data ?? none;
export const configsNow = (): Config[] => queries.getQueryData<Config[]>(configsQuery.queryKey) ?? none;
/** `false` until the server has told which configs there are. */
export const useConfigsKnown = (): boolean => useQuery(configsQuery).isSuccess;

export const configsChanged = () => queries.invalidateQueries({ queryKey: ["configs"] });

export const useProviders = (): Provider[] =>
  useQuery({ queryKey: ["providers"], queryFn: () => ask(api.GET("/providers")).then((list) => list.data), staleTime: 300_000 }).data ?? none;

const path = (id: string) => ({ params: { path: { id } } });

/** The last test of this revision, if there was one; `refetch` makes one. */
export const useTest = (config: Config) => useQuery({ ...testQuery(config), enabled: false });

export const runTest = (config: Config): Promise<ConfigTest> => queries.fetchQuery({ ...testQuery(config), staleTime: 0 });

/** A change that leaves the call as it was leaves its test as it was, too. */
export const keepTest = (config: Config, test: ConfigTest): void => void queries.setQueryData(testQuery(config).queryKey, test);

const testQuery = (config: Config) => ({
  queryKey: ["config-test", config.id, config.revision],
  queryFn: () => ask(api.POST("/configs/{id}/test", path(config.id))),
  retry: false,
  gcTime: Infinity,
});

/** The models that this config's upstream offers. */
export const useModels = (config: Config, ready: boolean) =>
  useQuery({
    queryKey: ["config-models", config.id, config.base_url, config.has_key],
    queryFn: () => ask(api.GET("/configs/{id}/models", path(config.id))).then((list) => list.data.map((model) => model.id)),
    enabled: ready,
    retry: false,
    staleTime: 60_000,
  });

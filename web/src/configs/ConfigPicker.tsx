/** Which config (and so which model) a session uses; opens the configs' dialog for more. */
import { Check, ChevronDown, KeyRound } from "lucide-react";
import type { Config } from "~/api/types";
import { openDialog } from "~/app/dialog";
import { useWords } from "~/i18n";
import { Menu, MenuItem, MenuLabel, MenuLine } from "~/ui/Menu";
import { useConfigs, useProviders } from "./queries";
import { configOf, isEcho, NO_MODEL, stateOf } from "./state";

/** `null` is the default config. */
export function ConfigPicker({ value, onPick }: { value: string | null; onPick: (config: string) => void }) {
  const words = useWords();
  const configs = useConfigs();
  const used = configOf(configs, value);
  const name = used?.name ?? words.configs.none;
  const model = used && showsModel(used) ? used.model : null;
  const trigger = (
    <button
      type="button"
      data-config-picker={used?.id ?? ""}
      title={`${words.configs.pick} ${name}`}
      className="flex h-8 max-w-64 min-w-8 items-center gap-1.5 rounded-lg px-2 text-sm text-muted hover:bg-hover hover:text-text"
    >
      <span className="sr-only">{words.configs.pick} </span>
      <span className="truncate">{name} </span>
      {model && <span className="truncate text-xs @max-[22rem]:hidden">{model}</span>}
      <ChevronDown aria-hidden className="size-3.5 shrink-0" />
    </button>
  );
  return (
    <Menu trigger={trigger}>
      <MenuLabel>{words.configs.listLabel}</MenuLabel>
      {configs.map((config) => (
        <MenuItem key={config.id} onSelect={() => onPick(config.id)}>
          <Choice config={config} used={config.id === used?.id} />
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem onSelect={() => openDialog("configs")}>{words.configs.manage}</MenuItem>
    </Menu>
  );
}

const showsModel = (config: Config): boolean => !isEcho(config) && config.model !== NO_MODEL && config.model !== config.name;

function Choice({ config, used }: { config: Config; used: boolean }) {
  const words = useWords().configs;
  const providers = useProviders();
  const provider = providers.find((one) => one.id === config.provider)?.name ?? config.provider;
  const state = stateOf(config, providers);
  return (
    <>
      <Check aria-hidden className={used ? "" : "invisible"} />
      <span className="flex min-w-0 flex-1 flex-col" data-choice={config.id}>
        <span className="truncate">
          {config.name}
          {used && <span className="sr-only"> ({words.chosen})</span>}
        </span>
        <span className="truncate text-xs text-muted">{showsModel(config) ? `${config.model} · ${provider}` : provider}</span>
      </span>
      {state === "no_key" && (
        <span className="flex items-center gap-1 text-xs text-warn">
          <KeyRound aria-hidden className="size-3.5! text-warn!" />
          {words.noKey}
        </span>
      )}
    </>
  );
}

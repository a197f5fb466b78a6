/** The ways to call a model: which there are, one of them in full, and a new one. */
import { Plus } from "lucide-react";
import { useEffect, useState } from "react";
import type { Config } from "~/api/types";
import { closeDialog, useDialogs } from "~/app/dialog";
import { useWords } from "~/i18n";
import { Dialog } from "~/ui/Dialog";
import { AddConfig } from "./AddConfig";
import { ConfigForm } from "./ConfigForm";
import { useConfigs, useConfigsKnown, useProviders } from "./queries";
import { isEcho, NO_MODEL, stateOf } from "./state";

const NEW = "new";

export function ConfigsDialog() {
  const words = useWords().configs;
  const { open, about } = useDialogs();
  return (
    <Dialog open={open === "configs"} onOpenChange={(shown) => !shown && closeDialog()} title={words.title} description={words.about} wide>
      <Configs about={about} />
    </Dialog>
  );
}

function Configs({ about }: { about: string | null }) {
  const configs = useConfigs();
  const known = useConfigsKnown();
  const [picked, setPicked] = useState(about);
  useEffect(() => setPicked(about), [about]);
  if (!known) return null;
  const real = configs.filter((config) => !isEcho(config));
  // With nothing but the echo there is one thing to do here.
  const first = real.find((config) => config.default) ?? real[0];
  const shown = configs.find((config) => config.id === picked) ?? (picked === NEW ? undefined : first);
  return (
    <div className="flex flex-col gap-5 pt-2 sm:flex-row">
      {configs.length > 0 && <List configs={configs} shown={shown?.id ?? NEW} onPick={setPicked} />}
      <div className="min-w-0 flex-1">
        {shown ? <ConfigForm key={shown.id} config={shown} /> : <AddConfig onMade={setPicked} />}
      </div>
    </div>
  );
}

function List({ configs, shown, onPick }: { configs: Config[]; shown: string; onPick: (id: string) => void }) {
  const words = useWords().configs;
  const row = "flex w-full min-w-0 items-center gap-2 rounded-lg px-2.5 py-1.5 text-left text-sm hover:bg-hover aria-[current=true]:bg-bubble";
  return (
    <nav aria-label={words.title} className="flex shrink-0 flex-col gap-0.5 sm:w-52 sm:border-r sm:border-line sm:pr-3">
      {configs.map((config) => (
        <button key={config.id} type="button" data-config={config.id} aria-current={config.id === shown} className={row} onClick={() => onPick(config.id)}>
          <ConfigLabel config={config} />
        </button>
      ))}
      <button type="button" data-add-config="" aria-current={shown === NEW} className={`${row} text-accent`} onClick={() => onPick(NEW)}>
        <Plus aria-hidden className="size-4 shrink-0" />
        {words.add}
      </button>
    </nav>
  );
}

function ConfigLabel({ config }: { config: Config }) {
  const words = useWords().configs;
  const state = stateOf(config, useProviders());
  const below = state === "no_key" ? words.noKey : config.model === NO_MODEL ? words.noModel : config.model;
  return (
    <>
      <span className="flex min-w-0 flex-1 flex-col">
        <span className="truncate font-medium">{config.name}</span>
        <span className={`truncate text-xs ${state === "ready" ? "text-muted" : "text-warn"}`}>{below}</span>
      </span>
      {config.default && <span className="shrink-0 rounded-md bg-accent-soft px-1.5 text-xs text-accent">{words.defaultMark}</span>}
    </>
  );
}

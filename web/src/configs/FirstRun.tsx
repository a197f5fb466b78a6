/** What an empty thread says of the models: which are ready, and a direct way to fix those that are not. */
import { AlertTriangle, CheckCircle2, KeyRound, Plus } from "lucide-react";
import { openDialog } from "~/app/dialogs";
import type { Config } from "~/api/types";
import { useWords } from "~/i18n";
import { Button } from "~/ui/Button";
import { useConfigs, useConfigsKnown, useProviders, useTest } from "./queries";
import { isEcho, stateOf } from "./state";

export function ProviderState() {
  const words = useWords();
  const known = useConfigsKnown();
  const configs = useConfigs();
  const real = configs.filter((config) => !isEcho(config));
  if (!known) return null;
  if (real.length === 0) {
    return (
      <div data-providers="none" className="flex max-w-md flex-col items-start gap-3 text-sm text-muted">
        <p>{words.configs.onlyEcho}</p>
        <Button look="solid" data-add-model="" onClick={() => openDialog("configs", "new")}>
          <Plus aria-hidden className="size-4" />
          {words.configs.add}
        </Button>
      </div>
    );
  }
  return (
    <section aria-label={words.configs.providers} data-providers="some" className="w-full max-w-md text-sm">
      <ul className="flex flex-col">
        {real.map((config) => (
          <State key={config.id} config={config} />
        ))}
      </ul>
      <Button look="plain" className="-ml-1 px-1" data-add-model="" onClick={() => openDialog("configs", "new")}>
        <Plus aria-hidden className="size-4" />
        {words.configs.add}
      </Button>
    </section>
  );
}

function State({ config }: { config: Config }) {
  const words = useWords().configs;
  const state = stateOf(config, useProviders());
  const failed = useTest(config).data?.ok === false;
  const shown = state === "ready" && failed ? "failed" : state;
  const { Icon, look, text, action } = {
    ready: { Icon: CheckCircle2, look: "text-ok", text: words.ready, action: null },
    no_key: { Icon: KeyRound, look: "text-warn", text: words.noKey, action: words.addKey },
    no_model: { Icon: AlertTriangle, look: "text-warn", text: words.noModel, action: words.choose },
    failed: { Icon: AlertTriangle, look: "text-danger", text: words.testFailed, action: words.look },
  }[shown];
  return (
    <li data-config={config.id} data-state={shown} className="flex h-9 items-center gap-2">
      <Icon aria-hidden className={`size-4 shrink-0 ${look}`} />
      <span className="min-w-0 truncate font-medium">{config.name}</span>
      <span className={`shrink-0 ${look}`}>{text}</span>
      {action && (
        <Button className="ml-auto h-7" aria-label={`${action}: ${config.name}`} onClick={() => openDialog("configs", config.id)}>
          {action}
        </Button>
      )}
    </li>
  );
}

/** Says before anything is sent that this session's model has no key. */
import { KeyRound } from "lucide-react";
import { openDialog } from "~/app/dialog";
import { useConfigs, useProviders } from "~/configs/queries";
import { configOf, stateOf } from "~/configs/state";
import { useWords } from "~/i18n";
import { useSession } from "~/session/store";
import { Button } from "~/ui/Button";

export function KeyHint({ session, draftConfig }: { session: string; draftConfig: string | null }) {
  const words = useWords().composer;
  const named = useSession(session, ({ thread }) => (thread.session ? thread.session.config_id : draftConfig));
  const config = configOf(useConfigs(), named);
  const providers = useProviders();
  if (!config || stateOf(config, providers) !== "no_key") return null;
  return (
    <div data-key-hint={config.id} className="flex items-center gap-2 rounded-lg bg-warn-soft py-1 pr-1 pl-3 text-sm text-warn">
      <KeyRound aria-hidden className="size-4 shrink-0" />
      <span className="min-w-0 flex-1">{words.noKey(config.name)}</span>
      <Button look="plain" className="h-7 text-warn" onClick={() => openDialog("configs", config.id)}>
        {words.addKey}
      </Button>
    </div>
  );
}

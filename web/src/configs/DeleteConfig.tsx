/** Deletes a config, once it has been said twice: its key cannot be brought back. */
import { useState } from "react";
import type { Config } from "~/api/types";
import { useWords } from "~/i18n";
import { attempt } from "~/session/actions";
import { Button } from "~/ui/Button";
import { deleteConfig } from "./actions";

export function DeleteConfig({ config }: { config: Config }) {
  const words = useWords().configs;
  const [asking, setAsking] = useState(false);
  if (!asking) {
    return (
      <Button look="danger" className="ml-auto" data-delete-config="" onClick={() => setAsking(true)}>
        {words.remove}
      </Button>
    );
  }
  return (
    <div role="group" aria-label={words.removeSure(config.name)} className="flex w-full flex-wrap items-center gap-2 rounded-lg bg-danger-soft p-3 text-sm text-danger">
      <p className="min-w-48 flex-1">{words.removeSure(config.name)}</p>
      <Button autoFocus className="text-text" onClick={() => setAsking(false)}>
        {words.keep}
      </Button>
      <Button look="danger" className="border border-danger" onClick={() => void attempt(deleteConfig(config.id))}>
        {words.removeYes}
      </Button>
    </div>
  );
}

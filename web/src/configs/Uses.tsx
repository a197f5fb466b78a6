/** What a config is used for when nobody names one: new sessions, and titles. Takes effect at once. */
import { useState } from "react";
import type { Config } from "~/api/types";
import { useWords } from "~/i18n";
import { attempt } from "~/session/actions";
import { Button } from "~/ui/Button";
import { changeConfig } from "./actions";
import { isEcho } from "./state";

export function Uses({ config }: { config: Config }) {
  const words = useWords().configs;
  const [wanted, setWanted] = useState<boolean | null>(null);
  const setTitles = async (on: boolean) => {
    setWanted(on);
    await attempt(changeConfig(config.id, { titles: on }));
    setWanted(null);
  };
  return (
    <div className="flex flex-col gap-3 text-sm">
      {!isEcho(config) && (
        <label className="flex items-start gap-2">
          <input
            type="checkbox"
            role="switch"
            name="titles"
            checked={wanted ?? config.titles}
            onChange={(event) => void setTitles(event.target.checked)}
            className="mt-1 size-4 accent-accent"
          />
          <span>
            {words.titles}
            <span className="block text-xs text-muted">{words.titlesHint}</span>
          </span>
        </label>
      )}
      {config.default ? (
        <p className="text-muted">{words.isDefault}</p>
      ) : (
        <Button className="self-start" data-make-default="" onClick={() => void attempt(changeConfig(config.id, { default: true }))}>
          {words.makeDefault}
        </Button>
      )}
    </div>
  );
}

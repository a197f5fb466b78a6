/** What stands in a thread that has nothing to show. */
import { Columns2, Command, Layers, SlidersHorizontal } from "lucide-react";
import { useEffect, useState } from "react";
import { openDialog } from "~/app/dialog";
import { useConfigs, useConfigsKnown } from "~/configs/queries";
import { configOf, isEcho } from "~/configs/state";
import { useWords } from "~/i18n";
import { refresh, useSession } from "~/session/store";
import { Button } from "~/ui/Button";

/** Nothing was said yet. */
export function Fresh() {
  const words = useWords().thread;
  const hints = [
    { Icon: Layers, text: words.emptyQueue },
    { Icon: Columns2, text: words.emptyBeside },
    { Icon: Command, text: words.emptyPalette },
  ];
  return (
    <div data-empty="thread" className="mx-auto flex min-h-full w-full max-w-[34rem] flex-col justify-center gap-4 px-6 py-8">
      <h2 className="text-xl font-semibold">{words.emptyTitle}</h2>
      <p className="text-muted">{words.emptyHint}</p>
      <Models />
      <ul className="flex flex-col gap-1.5 text-sm text-muted">
        {hints.map(({ Icon, text }) => (
          <li key={text} className="flex items-start gap-2.5">
            <Icon aria-hidden className="mt-1 size-4 shrink-0" />
            {text}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Who would answer, and the way to change that. */
function Models() {
  const words = useWords().thread;
  const configs = useConfigs();
  const known = useConfigsKnown();
  const main = configOf(configs, null);
  const lacking = configs.every(isEcho);
  const state = !main ? words.noModel : lacking ? words.echoOnly : words.answersFrom(main.name, main.model);
  return (
    <div className="flex min-h-8 flex-wrap items-center gap-3 text-sm" data-models="">
      {known && (
        <>
          <span>{state}</span>
          <Button look={lacking ? "solid" : "outline"} onClick={() => openDialog("configs")}>
            <SlidersHorizontal aria-hidden className="size-4" />
            {lacking ? words.setUpModel : words.fixConfig}
          </Button>
        </>
      )}
    </div>
  );
}

/** A shorter wait shows nothing. */
const QUIET_MS = 150;

export function Loading() {
  const words = useWords().thread;
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!shown) return null;
  return (
    <div role="status" aria-label={words.loading} className="mx-auto flex w-full max-w-[46rem] animate-pulse flex-col gap-4 px-4 pt-8">
      <div className="ml-auto h-11 w-2/5 rounded-2xl bg-sunken" />
      <div className="h-4 w-11/12 rounded bg-sunken" />
      <div className="h-4 w-4/5 rounded bg-sunken" />
      <div className="h-4 w-3/5 rounded bg-sunken" />
    </div>
  );
}

export function NotLoaded({ session }: { session: string }) {
  const { app, thread: words } = useWords();
  const error = useSession(session, (state) => state.error);
  return (
    <div role="alert" data-empty="failed" className="flex h-full flex-col items-center justify-center gap-3 p-8 text-center">
      <p className="font-medium">{words.notLoaded}</p>
      {error && <p className="max-w-md text-sm text-muted [overflow-wrap:anywhere]">{error.message}</p>}
      <Button onClick={() => void refresh(session)}>{app.retry}</Button>
    </div>
  );
}

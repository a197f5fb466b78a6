/** What is typed in a pane: the queue, whom it goes to, and the field itself, which never closes. */
import { useRef, useState } from "react";
import { useWords } from "~/i18n";
import { useDraft } from "~/session/drafts";
import type { Pane } from "~/workspace/layout";
import { useWorkspace } from "~/workspace/store";
import { Box } from "./Box";
import { BroadcastBar, BroadcastMark } from "./BroadcastBar";
import { EditStrip } from "./EditStrip";
import { KeyHint } from "./KeyHint";
import { Queue } from "./Queue";
import { useAutofocus } from "./useAutofocus";
import { useBroadcast } from "./useBroadcast";
import { useEscape } from "./useEscape";

export function Composer({ pane }: { pane: Pane }) {
  const words = useWords();
  const active = useWorkspace((state) => state.active === pane.id);
  const field = useRef<HTMLTextAreaElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const { edits, config } = useDraft(pane.session);
  const targets = useBroadcast();
  // An edit belongs to its session alone.
  const sendsTo = active && !edits ? targets : null;
  useAutofocus(field, active);
  useEscape(pane);
  return (
    <section aria-label={words.composer.field} className="@container shrink-0 px-3 pb-3">
      <div className="mx-auto flex w-full max-w-[46rem] flex-col gap-1.5">
        <Queue session={pane.session} />
        <KeyHint session={pane.session} draftConfig={config} />
        {edits && <EditStrip session={pane.session} />}
        {sendsTo && <BroadcastBar targets={sendsTo} />}
        {targets && !sendsTo && <BroadcastMark pane={pane} targets={targets} />}
        {problem && (
          <p role="alert" data-problem="" className="rounded-lg bg-danger-soft px-3 py-2 text-sm text-danger">
            {problem}
          </p>
        )}
        <Box pane={pane} field={field} targets={sendsTo} sayProblem={setProblem} />
      </div>
    </section>
  );
}

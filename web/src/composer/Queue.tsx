/** What waits in a session. It is the server's: every tab shows the same, and what is done here is asked of it. */
import { PauseCircle } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { Turn } from "~/api/types";
import { useWords } from "~/i18n";
import { editQueued, moveQueued, removeQueued, resumeQueue, sendNow } from "~/session/actions";
import { draftOf, setDraft } from "~/session/drafts";
import { textOf } from "~/session/message";
import { refresh, useSession } from "~/session/store";
import { Button } from "~/ui/Button";
import { toast } from "~/ui/toasts";
import { withText } from "./content";
import { QueueItem } from "./QueueItem";

interface Editing {
  turn: string;
  text: string;
}

export function Queue({ session }: { session: string }) {
  const words = useWords().composer;
  const queue = useSession(session, (state) => state.thread.queue);
  const paused = useSession(session, (state) => state.thread.session?.paused === true);
  const [editing, setEditing] = useState<Editing | null>(null);
  const [busy, act] = useBusy(session);
  useRescue(session, queue, editing, setEditing);
  if (queue.length === 0) return null;

  const save = async (turn: Turn, text: string) => {
    const changed = await act(turn.turn_id, editQueued(turn.turn_id, withText(turn.input ?? "", text)));
    if (changed) setEditing(null);
  };
  return (
    <section aria-label={words.queued(queue.length)} data-queue="" className="rounded-xl border border-line bg-sunken text-sm">
      {paused && (
        <div data-paused="" className="flex flex-wrap items-center gap-2 rounded-t-xl border-b border-line bg-warn-soft py-1.5 pr-2 pl-3 text-warn">
          <PauseCircle aria-hidden className="size-4 shrink-0" />
          <span className="min-w-40 flex-1">{words.paused}</span>
          <Button data-resume="" disabled={busy !== null} className="h-7 border-warn/50 text-warn" onClick={() => void act("", resumeQueue(session))}>
            {words.resume(queue.length)}
          </Button>
        </div>
      )}
      <ol className="max-h-56 overflow-y-auto p-1">
        {queue.map((turn, index) => (
          <QueueItem
            key={turn.turn_id}
            turn={turn}
            index={index}
            last={index === queue.length - 1}
            busy={busy === turn.turn_id}
            edited={editing?.turn === turn.turn_id ? editing.text : null}
            onEdit={(text) => setEditing(text === null ? null : { turn: turn.turn_id, text })}
            onSave={(text) => void save(turn, text)}
            onRemove={() => void act(turn.turn_id, removeQueued(turn.turn_id))}
            onSendNow={() => void act(turn.turn_id, sendNow(session, turn.turn_id))}
            onMove={(to) => void act(turn.turn_id, moveQueued(turn.turn_id, to))}
          />
        ))}
      </ol>
    </section>
  );
}

/** The item that something is being asked for, and a way to ask. What it came to is fetched whatever it was. */
function useBusy(session: string) {
  const [busy, setBusy] = useState<string | null>(null);
  const act = async <T,>(turn: string, work: Promise<T>): Promise<T> => {
    setBusy(turn);
    try {
      return await work;
    } finally {
      await refresh(session);
      setBusy(null);
    }
  };
  return [busy, act] as const;
}

/** A message that begins while it is being edited goes as it was: what was typed comes into the field instead. */
function useRescue(session: string, queue: Turn[], editing: Editing | null, setEditing: (editing: null) => void): void {
  const words = useWords().composer;
  const original = useRef("");
  const turn = queue.find((one) => one.turn_id === editing?.turn);
  if (turn) original.current = textOf(turn.input ?? "");
  useEffect(() => {
    if (!editing || turn) return;
    setEditing(null);
    if (editing.text === original.current) return;
    const { text } = draftOf(session);
    setDraft(session, { text: text ? `${text}\n${editing.text}` : editing.text });
    toast(words.itemStarted);
  }, [session, editing, turn, setEditing, words]);
}

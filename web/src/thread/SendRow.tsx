/** A message that the server has not acknowledged yet, or would not take. */
import { AlertTriangle, CloudOff } from "lucide-react";
import { useEffect, useState } from "react";
import { useLink } from "~/api/feed";
import { ContentParts } from "~/content";
import { useWords } from "~/i18n";
import { resend, type Sending, useOutbox } from "~/session/outbox";
import { Button } from "~/ui/Button";
import { takeBack } from "./edit";
import { type Line, sendKey } from "./lines";
import { RowFrame } from "./RowFrame";
import { Bubble } from "./UserRow";
import { Dots } from "./Waiting";

/** Sooner it is not worth a word. */
const QUIET_MS = 400;

export function SendRow({ line }: { line: Line }) {
  const words = useWords().thread;
  const send = useOutbox(({ sends }) => sends.find((one) => sendKey(one) === line.key));
  const late = useLate(send?.at ?? 0);
  const lost = useLink(({ state }) => state === "lost");
  if (!send || (line.waits && !late && !lost)) return null;
  return (
    <RowFrame name={words.you} row={line.key} role="user" turn={null} status={send.refused ? "failed" : "sending"}>
      <Bubble>
        <ContentParts content={send.message} />
      </Bubble>
      {send.refused ? <Refused send={send} /> : <Under late={late} lost={lost} />}
    </RowFrame>
  );
}

function Under({ late, lost }: { late: boolean; lost: boolean }) {
  const words = useWords().thread;
  return (
    <>
      <div className="flex h-8 items-center justify-end gap-1.5 text-xs text-muted">
        {lost && <CloudOff aria-hidden className="size-3.5" />}
        {lost ? words.notSent : late ? words.sending : ""}
      </div>
      <div className="mt-1 flex h-8 items-center">{!lost && <Dots name={words.sending} />}</div>
    </>
  );
}

function Refused({ send }: { send: Sending }) {
  const all = useWords();
  const words = all.thread;
  return (
    <div role="alert" className="mt-2 ml-auto flex max-w-[85%] flex-col gap-2 rounded-xl bg-danger-soft px-4 py-3 text-sm">
      <p className="flex items-start gap-2">
        <AlertTriangle aria-hidden className="mt-0.5 size-4 shrink-0 text-danger" />
        <span className="min-w-0 [overflow-wrap:anywhere]">
          {words.refused} <bdi>{send.refused}</bdi>
        </span>
      </p>
      <div className="flex flex-wrap gap-2">
        <Button className="bg-raised" onClick={() => resend(send.key)}>{all.app.retry}</Button>
        <Button className="bg-raised" onClick={() => takeBack(send)}>{words.edit}</Button>
      </div>
    </div>
  );
}

function useLate(since: number): boolean {
  const [late, setLate] = useState(() => Date.now() - since > QUIET_MS);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), Math.max(0, since + QUIET_MS - Date.now()));
    return () => clearTimeout(timer);
  }, [since]);
  return late;
}

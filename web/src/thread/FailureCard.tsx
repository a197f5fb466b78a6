/** Why there is no answer, what is kept, and what to do. */
import { AlertTriangle, ChevronRight } from "lucide-react";
import type { Failure } from "~/api/types";
import { openDialog } from "~/app/dialog";
import { useWords } from "~/i18n";
import type { Row } from "~/session/rows";
import { Button } from "~/ui/Button";
import { Again } from "./Ending";
import { cureOf } from "./failures";
import { said } from "./lines";

/** Causes that lie with the config: trying again alone would not help. */
const CONFIG_AT_FAULT = new Set<Failure["code"]>([
  "upstream_unreachable",
  "upstream_key_rejected",
  "upstream_model_not_found",
  "upstream_rejected",
  "context_too_long",
  "config_key_missing",
  "config_not_found",
]);

export function FailureCard({ row }: { row: Row }) {
  const words = useWords().thread;
  const { error, configId } = row.facts;
  const cure = cureOf(error, words);
  return (
    <div data-failure={error?.code ?? ""} className="my-1 flex flex-col gap-2 rounded-xl border border-danger/40 bg-danger-soft px-4 py-3 text-sm">
      <p className="flex items-start gap-2 font-medium">
        <AlertTriangle aria-hidden className="mt-0.5 size-4 shrink-0 text-danger" />
        {(error && words.failures[error.code]) ?? words.failed}
      </p>
      {cure ? <p>{cure}</p> : error?.message && <Said message={error.message} />}
      {error?.retry_after_ms != null && <p>{words.retryAfter(Math.ceil(error.retry_after_ms / 1000))}</p>}
      {error && <Facts error={error} />}
      <p>{said(row) ? words.keptPartly : words.kept}</p>
      <div className="flex flex-wrap gap-2">
        <Again row={row} className="bg-raised" />
        {error && CONFIG_AT_FAULT.has(error.code) && <Button className="bg-raised" onClick={() => openDialog("configs", configId)}>{words.fixConfig}</Button>}
      </div>
      {cure && error?.message && <Details message={error.message} />}
    </div>
  );
}

const Said = ({ message }: { message: string }) => (
  <p className="[overflow-wrap:anywhere] whitespace-pre-wrap" dir="auto">
    {message}
  </p>
);

/** What somebody who asks for help is asked for. */
function Facts({ error }: { error: Failure }) {
  const words = useWords().thread;
  const facts = [error.upstream_status != null && words.status(error.upstream_status), error.code].filter((fact) => fact !== false);
  return (
    <p className="text-xs text-muted [overflow-wrap:anywhere]">
      {facts.join(" · ")}
      {error.upstream_request_id && (
        <>
          {` · ${words.requestId} `}
          <code className="font-mono select-all">{error.upstream_request_id}</code>
        </>
      )}
    </p>
  );
}

/** The server's own words, where the page has said it in the reader's language. */
function Details({ message }: { message: string }) {
  const words = useWords().thread;
  return (
    <details className="group/details text-xs text-muted">
      <summary className="inline-flex cursor-pointer items-center gap-1 rounded-lg py-0.5">
        <ChevronRight aria-hidden className="size-3.5 transition-transform group-open/details:rotate-90" />
        {words.failureDetails}
      </summary>
      <Said message={message} />
    </details>
  );
}

/** What a test of a config came to, for people: the cause and what to do. */
import { AlertTriangle, CheckCircle2, Loader2 } from "lucide-react";
import type { ConfigTest } from "~/api/types";
import { useWords } from "~/i18n";
import { duration } from "~/i18n/figures";
import { useSettings } from "~/settings/store";

interface Props {
  testing: boolean;
  result: ConfigTest | undefined;
  /** The test itself could not be made. */
  error: Error | null;
}

export function TestResult({ testing, result, error }: Props) {
  const words = useWords().configs;
  const language = useSettings((settings) => settings.language);
  return (
    <div role="status" data-test={testing ? "running" : result ? (result.ok ? "ok" : "failed") : error ? "failed" : "none"} className="text-sm empty:hidden">
      {testing ? (
        <p className="flex items-center gap-2 text-muted">
          <Loader2 aria-hidden className="size-4 shrink-0 animate-spin" />
          {words.testing}
        </p>
      ) : result?.ok ? (
        <p className="flex items-center gap-2 text-ok">
          <CheckCircle2 aria-hidden className="size-4 shrink-0" />
          {words.works(result.model ?? "", duration(result.latency_ms, language))}
        </p>
      ) : result?.error ? (
        <Failure cause={words.failures[result.error.code] ?? words.unknownFailure} said={result.error.message} />
      ) : error ? (
        <Failure cause={words.unknownFailure} said={error.message} />
      ) : null}
    </div>
  );
}

function Failure({ cause, said }: { cause: string; said: string }) {
  const words = useWords().configs;
  return (
    <div className="flex gap-2 rounded-lg bg-danger-soft p-3 text-danger">
      <AlertTriangle aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0">
        <p>{cause}</p>
        <details className="mt-1 text-xs">
          <summary className="cursor-pointer">{words.said}</summary>
          <p className="mt-1 break-words whitespace-pre-wrap">{said}</p>
        </details>
      </div>
    </div>
  );
}

/** An answer's model, tokens and time in one line, and all that is known of them in a note that opens from it. */
import { Popover } from "radix-ui";
import { useWords } from "~/i18n";
import { count, duration, moment } from "~/i18n/figures";
import type { Row } from "~/session/rows";
import { useSettings } from "~/settings/store";
import { answeringMs, counted, timed } from "./figures";

export function AnswerFigures({ row }: { row: Row }) {
  const words = useWords().thread;
  const language = useSettings((settings) => settings.language);
  const { model, usage, timing } = row.facts;
  const parts = [
    model,
    counted(usage) && words.tokens(count(usage.prompt_tokens, language), count(usage.completion_tokens, language)),
    timed(timing) && duration(answeringMs(timing), language),
  ].filter((part): part is string => !!part);
  if (parts.length === 0) return null;
  return (
    <Popover.Root>
      <Popover.Trigger asChild>
        <button type="button" aria-label={`${words.details}: ${parts.join(" · ")}`} data-figures="" className="ml-auto min-w-0 truncate rounded px-1 py-0.5 tabular-nums hover:bg-hover hover:text-text">
          {parts.join(" · ")}
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content aria-label={words.details} side="top" align="end" sideOffset={4} collisionPadding={8} className="z-50 rounded-xl border border-line bg-raised px-3 py-2 text-xs shadow-float outline-none">
          <Details row={row} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Details({ row }: { row: Row }) {
  const words = useWords().thread;
  const language = useSettings((settings) => settings.language);
  const { model, usage, timing } = row.facts;
  const lines: [string, string | false | null | undefined][] = [
    [words.model, model],
    [words.tokensIn, counted(usage) && count(usage.prompt_tokens, language)],
    [words.tokensCached, counted(usage) && usage.cached_tokens > 0 && count(usage.cached_tokens, language)],
    [words.tokensOut, counted(usage) && count(usage.completion_tokens, language)],
    [words.tokensReasoning, counted(usage) && usage.reasoning_tokens > 0 && count(usage.reasoning_tokens, language)],
    [words.queued, timing && timing.queued_ms >= 100 && duration(timing.queued_ms, language)],
    [words.firstToken, timing?.first_token_ms != null && duration(timing.first_token_ms, language)],
    [words.total, timed(timing) && duration(timing.total_ms, language)],
    [words.answeredAt, row.at && moment(row.at, language)],
  ];
  return (
    <dl className="grid grid-cols-[auto_auto] gap-x-4 gap-y-0.5">
      {lines.map(([name, value]) =>
        value ? (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="text-right tabular-nums">{value}</dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}

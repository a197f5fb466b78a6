/** What was sent upstream with a turn, to the letter. */
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "~/api/client";
import { useWords } from "~/i18n";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { CopyText } from "./CopyText";

export function PromptDialog({ turn, onClose }: { turn: string | null; onClose: () => void }) {
  const words = useWords().thread;
  return (
    <Dialog open={turn !== null} onOpenChange={(open) => !open && onClose()} title={words.promptTitle} description={words.promptHint} wide>
      {turn && <Prompt turn={turn} />}
    </Dialog>
  );
}

function Prompt({ turn }: { turn: string }) {
  const all = useWords();
  const words = all.thread;
  const { data, error, refetch } = useQuery({
    queryKey: ["prompt", turn],
    queryFn: () => ask(api.GET("/turns/{id}/prompt", { params: { path: { id: turn } } })),
  });
  if (error) {
    return (
      <div role="alert" className="flex flex-wrap items-center gap-3 text-sm text-danger">
        <span className="min-w-0 flex-1">{error.message}</span>
        <Button onClick={() => void refetch()}>{all.app.retry}</Button>
      </div>
    );
  }
  if (!data) return <div className="h-64 rounded-xl bg-sunken" />;
  const body = JSON.stringify(data.body, null, 2);
  const exact = data.sha256 == null ? words.promptUnsent : data.exact ? words.promptExact : words.promptInexact;
  return (
    <>
      <div className="flex items-center gap-2 pb-2 text-xs text-muted">
        <p className="min-w-0 flex-1 [overflow-wrap:anywhere]">
          {exact}
          {data.sha256 && (
            <>
              {" · SHA-256 "}
              <code className="font-mono select-all">{data.sha256}</code>
            </>
          )}
        </p>
        <CopyText text={body} name={words.promptCopy} />
      </div>
      <pre tabIndex={0} className="max-h-[55vh] overflow-auto rounded-xl bg-sunken p-4 font-mono text-xs leading-relaxed">
        {body}
      </pre>
    </>
  );
}

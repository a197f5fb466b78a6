/** One result: a title, or a stretch of a message under its title. */
import { useWords } from "~/i18n";
import { dragSession } from "~/workspace/drag";
import type { Piece, Result } from "./results";

interface Props {
  id: string;
  result: Result;
  chosen: boolean;
  language: string;
  onPoint: () => void;
  onOpen: (beside: boolean) => void;
}

export function ResultRow({ id, result, chosen, language, onPoint, onOpen }: Props) {
  const words = useWords();
  const title = result.title ?? words.app.untitled;
  const day = dayOf(result.at, language);
  const speaker = result.role === "user" ? words.search.user : result.role === "system" ? words.search.system : words.search.assistant;
  return (
    <div
      id={id}
      role="option"
      aria-selected={chosen}
      data-result={result.kind}
      {...(result.first ? { "data-session-row": result.session } : {})}
      draggable
      onDragStart={(event) => dragSession(event, result.session)}
      onPointerMove={() => chosen || onPoint()}
      onMouseDown={(event) => event.button === 1 && event.preventDefault()}
      onClick={(event) => onOpen(event.ctrlKey || event.metaKey)}
      onAuxClick={(event) => event.button === 1 && onOpen(true)}
      className="cursor-pointer rounded-lg px-2 py-1.5 text-sm aria-selected:bg-hover"
    >
      <div className="flex items-baseline gap-2">
        <span className="min-w-0 flex-1 truncate">{result.kind === "title" ? <Pieces pieces={result.pieces} fallback={title} /> : title}</span>
        <span className="shrink-0 text-xs text-muted">{day}</span>
      </div>
      {result.kind === "message" && (
        <div className="line-clamp-2 text-xs break-words text-muted">
          {speaker}: <Pieces pieces={result.pieces} fallback="" />
        </div>
      )}
    </div>
  );
}

function dayOf(at: string, language: string): string {
  const date = new Date(at);
  const year = date.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" as const };
  return new Intl.DateTimeFormat(language, { month: "short", day: "numeric", ...year }).format(date);
}

function Pieces({ pieces, fallback }: { pieces: Piece[]; fallback: string }) {
  if (pieces.length === 0 || pieces.every((piece) => piece.text === "")) return fallback;
  return pieces.map(({ text, hit }, index) =>
    hit ? (
      <mark key={index} className="rounded-sm bg-warn-soft text-warn">
        {text}
      </mark>
    ) : (
      text
    ),
  );
}

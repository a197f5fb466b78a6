/** The images that go with a message, each with a way to leave it out. */
import { X } from "lucide-react";
import type { Part } from "~/api/types";
import { useWords } from "~/i18n";

export function Thumbnails({ parts, onRemove }: { parts: Part[]; onRemove: (index: number) => void }) {
  const words = useWords().composer;
  if (parts.length === 0) return null;
  return (
    <ul className="flex flex-wrap gap-2 p-2" data-thumbnails="">
      {parts.map(
        (part, index) =>
          part.type === "image_url" && (
            <li key={`${index} ${part.image_url.url.length}`} className="relative">
              <img src={part.image_url.url} alt={words.image(index + 1)} className="size-16 rounded-lg border border-line object-cover" />
              <button
                type="button"
                aria-label={words.removeImage(index + 1)}
                title={words.removeImage(index + 1)}
                onClick={() => onRemove(index)}
                className="absolute -top-1.5 -right-1.5 flex size-6 items-center justify-center rounded-full border border-line bg-raised text-text shadow-sm hover:bg-hover"
              >
                <X aria-hidden className="size-3.5" />
              </button>
            </li>
          ),
      )}
    </ul>
  );
}

/** An image of somebody's choosing: what it carries in itself is shown, what stands elsewhere is fetched only after a click. */
import { ImageDown, ImageOff } from "lucide-react";
import { useState } from "react";
import { useWords } from "~/i18n";
import { Button } from "~/ui/Button";
import { imageSource } from "./links";

export function Image({ src, alt = "" }: { src: string | undefined; alt?: string | undefined }) {
  const { content: words } = useWords();
  const [asked, setAsked] = useState(false);
  const [failed, setFailed] = useState(false);
  const source = imageSource(src);

  if (source.kind === "refused" || failed) {
    return (
      <span className="inline-flex items-center gap-1.5 text-sm text-muted">
        <ImageOff className="size-4 shrink-0" aria-hidden />
        <bdi>{alt}</bdi> {failed ? words.imageFailed : words.imageRefused}
      </span>
    );
  }
  if (source.kind === "remote" && !asked) {
    return (
      <Button className="my-1 max-w-full" title={source.src.slice(0, 500)} onClick={() => setAsked(true)}>
        <ImageDown className="size-4 shrink-0" aria-hidden />
        <span className="truncate">
          {words.loadImage(source.host)}
          {alt && (
            <>
              {": "}
              <bdi>{alt}</bdi>
            </>
          )}
        </span>
      </Button>
    );
  }
  return <img src={source.src} alt={alt || words.image} referrerPolicy="no-referrer" loading="lazy" decoding="async" onError={() => setFailed(true)} className="my-1 max-h-96 max-w-full rounded-lg" />;
}

/** Takes images by paste, drop or choice into the draft, as far as one message may hold them. */
import { useWords } from "~/i18n";
import { draftOf, setDraft } from "~/session/drafts";
import { bytesOf, contentOf, MESSAGE_BYTES_MAX } from "./content";
import { imagesIn, partOf, weightOf } from "./images";

export function useImages(session: string, sayProblem: (problem: string) => void): (files: Iterable<File>) => Promise<void> {
  const words = useWords().composer;
  return async (files) => {
    const { images, others } = imagesIn(files);
    if (others > 0) sayProblem(words.notImages);
    if (images.length === 0) return;
    const { text, parts } = draftOf(session);
    const weight = bytesOf(contentOf(text, parts)) + images.reduce((sum, file) => sum + weightOf(file), 0);
    if (weight > MESSAGE_BYTES_MAX) return sayProblem(words.imagesTooLarge(LIMIT));
    const read = await Promise.all(images.map(partOf));
    setDraft(session, { parts: [...draftOf(session).parts, ...read] });
  };
}

export const LIMIT = `${MESSAGE_BYTES_MAX / 1024 / 1024} MiB`;

import type { Content } from "~/api/types";

/** The words of a content, without its images. */
export const textOf = (content: Content): string =>
  typeof content === "string" ? content : content.flatMap((part) => (part.type === "text" ? part.text : [])).join("\n\n");

/** What a message consists of: text, and images behind it. Pure. */
import type { Content, Part } from "~/api/types";

/** The words of a content, without its images. */
export const textOf = (content: Content): string =>
  typeof content === "string" ? content : content.flatMap((part) => (part.type === "text" ? part.text : [])).join("\n\n");

export const imagesOf = (content: Content): Part[] => (typeof content === "string" ? [] : content.filter((part) => part.type === "image_url"));

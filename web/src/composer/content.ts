/** Messages as the composer makes them, and how large they may be. Pure. */
import type { Content, Part } from "~/api/types";
import { imagesOf } from "~/session/message";

/** The server's default `message_bytes_max`. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
export const IMAGE_TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif"];

export function contentOf(text: string, images: Part[]): Content {
  if (images.length === 0) return text;
  return text.trim() === "" ? images : [{ type: "text", text }, ...images];
}

/** The same message with another text. */
export const withText = (content: Content, text: string): Content => contentOf(text, imagesOf(content));

export const isBlank = (text: string, images: Part[]): boolean => images.length === 0 && text.trim() === "";

/** What the message weighs on the wire: JSON in UTF-8. */
export function bytesOf(content: Content): number {
  return new TextEncoder().encode(JSON.stringify(content)).length;
}

/** Of a text that long nobody needs the exact weight. */
export const fits = (content: Content): boolean => {
  const units = typeof content === "string" ? content.length : content.reduce((sum, part) => sum + (part.type === "text" ? part.text.length : part.image_url.url.length), 0);
  return units <= MESSAGE_BYTES_MAX && bytesOf(content) <= MESSAGE_BYTES_MAX;
};

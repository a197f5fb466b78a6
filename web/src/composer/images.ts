/** Images as parts of a message: read into data URLs, so that they need no place of their own. */
import type { Part } from "~/api/types";
import { IMAGE_TYPES } from "./content";

export const imagesIn = (files: Iterable<File>): { images: File[]; others: number } => {
  const all = [...files];
  const images = all.filter((file) => IMAGE_TYPES.includes(file.type));
  return { images, others: all.length - images.length };
};

export async function partOf(file: File): Promise<Part> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error ?? new Error(file.name));
    reader.readAsDataURL(file);
  });
  return { type: "image_url", image_url: { url } };
}

/** What a file weighs as a data URL. */
export const weightOf = (file: File): number => Math.ceil(file.size / 3) * 4 + 32;

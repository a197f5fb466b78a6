/** Files that are dropped from outside. Sessions that are dragged within the page are the workspace's. */
import { type DragEvent, useState } from "react";

export function useFileDrop(take: (files: File[]) => Promise<void>) {
  const [over, setOver] = useState(false);
  const ours = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  const handlers = {
    onDragOver: (event: DragEvent) => {
      if (!ours(event)) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: (event: DragEvent) => {
      if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
    },
    onDrop: (event: DragEvent) => {
      if (!ours(event)) return;
      event.preventDefault();
      setOver(false);
      void take([...event.dataTransfer.files]);
    },
  };
  return { over, handlers };
}

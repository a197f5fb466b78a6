/** Puts the cursor into the search field, wherever the sidebar is. */
import { showSidebar } from "./sheet";

const FRAMES = 20;

export function focusSearch(): void {
  showSidebar();
  const step = (left: number) => {
    const field = document.querySelector<HTMLInputElement>("input[data-search]");
    if (field) field.select();
    else if (left > 0) requestAnimationFrame(() => step(left - 1));
  };
  requestAnimationFrame(() => step(FRAMES));
}

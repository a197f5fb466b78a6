/** Loaded when the first formula is seen, with its style and fonts. */
import "katex/dist/katex.min.css";
import katex from "katex";

/** Draws `tex` into `element`; what KaTeX does not understand stays as its source. */
export function draw(tex: string, element: HTMLElement, display: boolean): boolean {
  try {
    katex.render(tex, element, { displayMode: display, throwOnError: true, strict: "ignore", trust: false, maxExpand: 300, maxSize: 20 });
    return true;
  } catch {
    element.textContent = tex;
    return false;
  }
}

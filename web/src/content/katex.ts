/** Loaded when the first formula is seen, with its style and fonts. */
import "katex/dist/katex.min.css";
import katex from "katex";

/** What a browser still lays out without effort; a formula of braces as deep as `formula.ts` allows stays below. */
const DEPTH_MAX = 400;
const MATHML_DEPTH_MAX = 120;
const ELEMENTS_MAX = 5000;

/** Draws a `tex` that `isDrawable` into `element`; what KaTeX does not understand, and what is too much, stays as its source. */
export function draw(tex: string, element: HTMLElement, display: boolean): boolean {
  try {
    const drawn = document.createElement("span");
    katex.render(tex, drawn, { displayMode: display, throwOnError: true, strict: "ignore", trust: false, maxExpand: 300, maxSize: 10 });
    if (!isBounded(drawn)) throw new RangeError();
    element.replaceChildren(...drawn.childNodes);
    return true;
  } catch {
    element.textContent = tex;
    return false;
  }
}

/** Some commands nest without a brace: what came of them is measured before it is laid out. */
function isBounded(drawn: Element): boolean {
  if (drawn.getElementsByTagName("*").length > ELEMENTS_MAX) return false;
  return !isDeeper(drawn, DEPTH_MAX) && ![...drawn.getElementsByTagName("math")].some((math) => isDeeper(math, MATHML_DEPTH_MAX));
}

function isDeeper(element: Element, than: number): boolean {
  let level = [element];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > than) return true;
    level = level.flatMap((one) => [...one.children]);
  }
  return false;
}

/** Which formulas may be given to KaTeX: what it makes of a deep one, no browser can lay out. Pure. */
export const TEX_CHARS_MAX = 2000;
export const TEX_DEPTH_MAX = 30;

/** Two commands that open and close, every other command whole, comments, and braces. */
const TOKEN = /\\(left|right|begin|end)(?![a-zA-Z@])|\\[^]|%.*|[{}]/g;
/** A macro makes much of little; the others write to the console. */
const FORBIDDEN = /\\(?:[egx]?def|(?:future)?let|(?:re)?newcommand|providecommand|global|long|message|errmessage|show)(?![a-zA-Z@])/;

/** How deep braces, `\left` and environments stand in each other. */
export function depthOf(tex: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [token, command] of tex.matchAll(TOKEN)) {
    if (token === "{" || command === "left" || command === "begin") deepest = Math.max(deepest, ++depth);
    else if (token === "}" || command) depth--;
  }
  return deepest;
}

/** KaTeX reads a letter with its accents by an expression that is quadratic in them. */
const ACCENTS = /[\u0300-\u036f]{5}/;

export const isDrawable = (tex: string): boolean => tex.length <= TEX_CHARS_MAX && !ACCENTS.test(tex) && !FORBIDDEN.test(tex) && depthOf(tex) <= TEX_DEPTH_MAX;

/** In code nothing may hide: characters that reorder a line are shown by their number instead of acting. */
import { Fragment, type ReactNode } from "react";

const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const EACH_BIDI = new RegExp(`(${BIDI.source})`);

export function unhidden(text: string): ReactNode {
  if (!BIDI.test(text)) return text;
  return text.split(EACH_BIDI).map((part, index) => {
    if (!BIDI.test(part)) return <Fragment key={index}>{part}</Fragment>;
    const name = `U+${part.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
    return (
      <span key={index} className="bidi-mark" title={name}>
        {name}
      </span>
    );
  });
}

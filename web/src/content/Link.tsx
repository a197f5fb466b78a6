/** A link out of the page. `href` has been found safe; without one there is nothing to follow. */
import type { ReactNode } from "react";
import { otherHost } from "./links";

export function Link({ href, text, children }: { href: string | null | undefined; text: string; children: ReactNode }) {
  if (!href) return <span className="isolate-text">{children}</span>;
  const host = otherHost(text, href);
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={host ?? undefined} className="isolate-text">
      {children}
    </a>
  );
}

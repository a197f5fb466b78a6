/** Which addresses of a hostile text may be followed or fetched. */
import type { UrlTransform } from "react-markdown";

const IMAGE_DATA = /^data:image\/(?:png|jpeg|gif|webp);base64,[a-z0-9+/=\s]*$/i;
const IMAGE_DATA_CHARS_MAX = 4_000_000;

const parsed = (href: string): URL | null => (URL.canParse(href) ? new URL(href) : null);

/** The address as the browser reads it, if it is one that leads out of the page and can do nothing else. */
export function safeHref(href: string | undefined): string | null {
  const url = parsed(href ?? "");
  return url && /^(?:https?|mailto):$/.test(url.protocol) ? url.href : null;
}

type ImageSource = { kind: "data"; src: string } | { kind: "remote"; src: string; host: string } | { kind: "refused" };

export function imageSource(src: string | undefined): ImageSource {
  if (!src) return { kind: "refused" };
  if (src.length <= IMAGE_DATA_CHARS_MAX && IMAGE_DATA.test(src)) return { kind: "data", src };
  const url = src.length <= 8000 ? parsed(src) : null;
  return url && /^https?:$/.test(url.protocol) ? { kind: "remote", src: url.href, host: url.host } : { kind: "refused" };
}

export const keepSafe: UrlTransform = (url, key) => (key === "href" ? safeHref(url) : key === "src" && imageSource(url).kind !== "refused" ? url : null);

/** Where a link really leads, if its text reads like another address. */
export function otherHost(text: string, href: string): string | null {
  const host = parsed(href)?.host ?? "";
  const claimed = /^(?:[a-z]+:\/\/)?(?:[^\s/@]*@)?((?:[\p{L}\d-]+\.)+\p{L}{2,})(?:[:/?#]|$)/iu.exec(text.trim().replace(/[\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g, ""))?.[1];
  if (!host || !claimed) return null;
  const plain = (name: string) => name.toLowerCase().replace(/^www\./, "");
  return plain(parsed(`https://${claimed}`)?.host ?? claimed) === plain(host) ? null : host;
}

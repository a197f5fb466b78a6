import { currentWords } from "~/i18n";
import { toast } from "~/ui/toasts";

export const addressOf = (session: string): string => `/s/${encodeURIComponent(session)}`;

export async function copyLink(session: string): Promise<void> {
  const words = currentWords().sidebar;
  try {
    await navigator.clipboard.writeText(location.origin + addressOf(session));
    toast(words.linkCopied);
  } catch {
    toast(words.linkNotCopied);
  }
}

/** A session's own address. */
import { currentWords } from "~/i18n";
import { toast } from "~/ui/toasts";
import { copy } from "~/ui/useCopy";

export const addressOf = (session: string): string => `/s/${encodeURIComponent(session)}`;

export async function copyLink(session: string): Promise<void> {
  if (await copy(location.origin + addressOf(session))) toast(currentWords().sidebar.linkCopied);
}

/** The page's keyboard. */
import { closeDialog, useDialogs } from "~/app/dialog";
import { composing, isMac } from "~/ui/platform";
import { commands } from "./commands";
import { commandOf } from "./keys";

export function startShortcuts(): void {
  window.addEventListener("keydown", pressed);
}

function pressed(event: KeyboardEvent): void {
  if (event.defaultPrevented || composing(event)) return;
  const command = commandOf(event, isMac);
  if (!command) return;
  event.preventDefault();
  const dialog = useDialogs.getState().open;
  // The key that opens a dialog closes it again; nothing else happens behind one.
  if (dialog === command) return closeDialog();
  if (dialog || document.querySelector("[role=dialog]")) return;
  const { run, fits = () => true } = commands[command];
  if (fits()) run();
}

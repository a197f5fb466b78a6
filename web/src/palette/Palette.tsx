/** Sessions and actions by name: Ctrl/Cmd+K. */
import { Dialog } from "radix-ui";
import { useRef } from "react";
import { closeDialog, useDialogs } from "~/app/dialog";
import { useWords } from "~/i18n";
import { useOpener } from "~/ui/useOpener";
import { PaletteBody } from "./PaletteBody";

export function Palette() {
  const words = useWords().palette;
  const open = useDialogs((dialogs) => dialogs.open === "palette");
  const { remember, giveBack } = useOpener();
  const chosen = useRef<(() => void) | null>(null);

  const opened = () => {
    chosen.current = null;
    remember();
  };
  // What was chosen runs when the focus is back: a dialog that it opens can then hand it on to where it was.
  const closed = (event: Event) => {
    giveBack(event);
    chosen.current?.();
  };
  const choose = (run: () => void) => {
    chosen.current = run;
    closeDialog();
  };
  return (
    <Dialog.Root open={open} onOpenChange={(shown) => !shown && closeDialog()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/35" />
        <Dialog.Content
          aria-describedby={undefined}
          data-palette=""
          onOpenAutoFocus={opened}
          onCloseAutoFocus={closed}
          className="fixed top-[10vh] left-1/2 z-50 flex max-h-[70vh] w-[calc(100vw-2rem)] max-w-xl -translate-x-1/2 flex-col overflow-hidden rounded-2xl border border-line bg-raised shadow-float focus:outline-none"
        >
          <Dialog.Title className="sr-only">{words.title}</Dialog.Title>
          <PaletteBody choose={choose} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

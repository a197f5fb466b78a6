/** The sessions over the pane: Esc and a press beside it close it, the focus stays within. */
import { Dialog } from "radix-ui";
import { useWords } from "~/i18n";
import { useOpener } from "~/ui/useOpener";
import { setSheet, useSheet } from "./sheet";
import { SidebarBody } from "./SidebarBody";

export function SidebarSheet() {
  const words = useWords().sidebar;
  const open = useSheet((sheet) => sheet.open);
  const { remember, giveBack } = useOpener();
  return (
    <Dialog.Root open={open} onOpenChange={setSheet}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/35" />
        <Dialog.Content
          aria-describedby={undefined}
          data-sidebar="sheet"
          onOpenAutoFocus={remember}
          onCloseAutoFocus={giveBack}
          className="fixed inset-y-0 left-0 z-40 flex w-[min(20rem,86vw)] flex-col border-r border-line bg-sunken shadow-float focus:outline-none"
        >
          <Dialog.Title className="sr-only">{words.name}</Dialog.Title>
          <SidebarBody narrow />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** Which dialog is open. There is at most one. */
import { create } from "zustand";

export type DialogName = "configs" | "settings" | "palette" | "shortcuts";

interface Dialogs {
  open: DialogName | null;
  /** What the dialog should begin with: a config's id. */
  about: string | null;
}

export const useDialogs = create<Dialogs>(() => ({ open: null, about: null }));

export const openDialog = (open: DialogName, about: string | null = null): void => useDialogs.setState({ open, about });
export const closeDialog = (): void => useDialogs.setState({ open: null, about: null });

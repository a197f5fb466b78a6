/** Whether the sidebar is shown: beside the panes as the user set it, over them on a narrow screen, where it begins closed. */
import { create } from "zustand";
import { useSettings } from "~/settings/store";
import { isNarrow } from "~/workspace/useNarrow";

export const useSheet = create<{ open: boolean }>(() => ({ open: false }));

export const setSheet = (open: boolean): void => useSheet.setState({ open });

function show(shown: boolean): void {
  if (isNarrow()) setSheet(shown);
  else useSettings.setState({ sidebar: shown });
}

export const showSidebar = (): void => show(true);
export const hideSidebar = (): void => show(false);
export const toggleSidebar = (): void => show(!(isNarrow() ? useSheet.getState().open : useSettings.getState().sidebar));

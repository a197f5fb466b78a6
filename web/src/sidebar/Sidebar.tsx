/** The sessions: beside the panes where the user wants them, over them on a narrow screen. */
import { useSettings } from "~/settings/store";
import { useNarrow } from "~/workspace/useNarrow";
import { SidebarBody } from "./SidebarBody";
import { SidebarSheet } from "./SidebarSheet";

export function Sidebar() {
  const narrow = useNarrow();
  const wanted = useSettings((settings) => settings.sidebar);
  if (narrow) return <SidebarSheet />;
  if (!wanted) return null;
  return (
    <aside className="flex w-72 shrink-0 flex-col border-r border-line bg-sunken" data-sidebar="">
      <SidebarBody narrow={false} />
    </aside>
  );
}

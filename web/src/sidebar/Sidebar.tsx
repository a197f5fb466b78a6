/** The sessions beside the panes. On a narrow screen they come as a sheet over them: `SidebarSheet`. */
import { useNarrow } from "~/workspace/useNarrow";
import { SidebarBody } from "./SidebarBody";

export function Sidebar() {
  if (useNarrow()) return null;
  return (
    <aside className="flex w-72 shrink-0 flex-col border-r border-line bg-sunken" data-sidebar="">
      <SidebarBody narrow={false} />
    </aside>
  );
}

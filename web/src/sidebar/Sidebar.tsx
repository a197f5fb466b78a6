/** The sessions: beside the panes where the user wants them, over them on a narrow screen. */
import { lazy, Suspense } from "react";
import { useSettings } from "~/settings/store";
import { useEver } from "~/ui/useEver";
import { useNarrow } from "~/workspace/useNarrow";
import { useSheet } from "./sheet";
import { SidebarBody } from "./SidebarBody";

const SidebarSheet = lazy(() => import("./SidebarSheet").then(({ SidebarSheet }) => ({ default: SidebarSheet })));

export function Sidebar() {
  const narrow = useNarrow();
  const wanted = useSettings((settings) => settings.sidebar);
  const opened = useEver(useSheet(({ open }) => open));
  if (narrow) return <Suspense>{opened && <SidebarSheet />}</Suspense>;
  if (!wanted) return null;
  return (
    <aside className="flex w-72 shrink-0 flex-col border-r border-line bg-sunken" data-sidebar="">
      <SidebarBody narrow={false} />
    </aside>
  );
}

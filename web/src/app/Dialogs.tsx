/** The dialogs. Each is loaded when it is opened for the first time, and stays, so that closing it can hand back the focus. */
import { type ComponentType, lazy, Suspense, useRef } from "react";
import { type DialogName, useDialogs } from "./dialog";

const views: Record<DialogName, ComponentType> = {
  configs: lazy(() => import("~/configs/ConfigsDialog").then(({ ConfigsDialog }) => ({ default: ConfigsDialog }))),
  settings: lazy(() => import("~/settings/SettingsDialog").then(({ SettingsDialog }) => ({ default: SettingsDialog }))),
  palette: lazy(() => import("~/palette/Palette").then(({ Palette }) => ({ default: Palette }))),
  shortcuts: lazy(() => import("~/palette/ShortcutsDialog").then(({ ShortcutsDialog }) => ({ default: ShortcutsDialog }))),
};

export function Dialogs() {
  const open = useDialogs((dialogs) => dialogs.open);
  const used = useRef(new Set<DialogName>());
  if (open) used.current.add(open);
  return [...used.current].map((name) => {
    const View = views[name];
    return (
      <Suspense key={name}>
        <View />
      </Suspense>
    );
  });
}

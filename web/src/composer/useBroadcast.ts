/** Whom a broadcast goes to; `null` while there is none, or no second pane. */
import { useMemo } from "react";
import { panesOf } from "~/workspace/layout";
import { useWorkspace } from "~/workspace/store";
import { type Target, targetsOf } from "./targets";

export function useBroadcast(): Target[] | null {
  const root = useWorkspace((state) => state.root);
  const broadcast = useWorkspace((state) => state.broadcast);
  return useMemo(() => {
    const panes = panesOf(root);
    return broadcast && panes.length > 1 ? targetsOf(panes, broadcast) : null;
  }, [root, broadcast]);
}

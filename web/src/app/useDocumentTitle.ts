/** The tab's title: the active session, and whether something runs that is not on the screen. */
import { useEffect, useSyncExternalStore } from "react";
import { useWords } from "~/i18n";
import { useList } from "~/session/list";
import { panesOf } from "~/workspace/layout";
import { useWorkspace } from "~/workspace/store";

export function useDocumentTitle(): void {
  const words = useWords();
  const hidden = useSyncExternalStore(onVisibility, () => document.hidden);
  const session = useWorkspace((state) => panesOf(state.root).find((pane) => pane.id === state.active)?.session);
  const title = useList((list) => (session ? list.sessions[session]?.title : null));
  const running = useList((list) => Object.values(list.sessions).filter((one) => one.running && (hidden || one.id !== session)).length);
  useEffect(() => {
    const mark = running > 0 ? `(${running}) ` : "";
    document.title = `${mark}${title ?? words.app.untitled} · ${words.app.name}`;
  }, [running, title, words]);
}

function onVisibility(changed: () => void): () => void {
  document.addEventListener("visibilitychange", changed);
  return () => document.removeEventListener("visibilitychange", changed);
}

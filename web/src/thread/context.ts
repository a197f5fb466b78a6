/** The thread that a row stands in. */
import { createContext, useContext } from "react";
import type { Scroller } from "./Scroller";

/** What a row may ask of the thread that it stands in. */
export interface InThread {
  session: string;
  pane: string;
  scroller: Scroller;
  /** Shows what was sent upstream with a turn. */
  showPrompt: (turn: string) => void;
}

export const ThreadContext = createContext<InThread | null>(null);

export function useThread(): InThread {
  const thread = useContext(ThreadContext);
  if (!thread) throw new Error("A row stands outside of a thread.");
  return thread;
}

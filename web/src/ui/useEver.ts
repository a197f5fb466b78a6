/** Whether something has been wanted at any time: what is loaded then stays, so that closing it can hand back the focus. */
import { useRef } from "react";

export function useEver(now: boolean): boolean {
  const ever = useRef(now);
  ever.current ||= now;
  return ever.current;
}

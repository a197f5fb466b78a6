/**
 * Stands in for react-remove-scroll, which radix-ui's dialogs use to keep the page behind them from scrolling. It makes
 * style elements at run time, which the content security policy forbids; and the page itself never scrolls.
 */
import type { ReactNode } from "react";

export const RemoveScroll = ({ children }: { children: ReactNode }) => children;

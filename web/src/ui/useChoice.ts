/** Choosing from a list while the focus stays in a field above it: arrows move, Enter takes. */
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { composing } from "./platform";

export interface Choice<T> {
  items: T[];
  listId: string;
  chosen: number;
  optionId: (index: number) => string;
  /** For the field: what it controls, and which option is meant. */
  field: { "aria-controls": string; "aria-activedescendant"?: string };
  onKeyDown: (event: KeyboardEvent) => void;
  choose: (index: number) => void;
}

/** `subject` is what the items answer: with another one the first item is meant again. */
export function useChoice<T>(items: T[], subject: string, take: (item: T, beside: boolean) => void): Choice<T> {
  const listId = useId();
  const [meant, setMeant] = useState({ subject, index: 0 });
  const chosen = meant.subject === subject ? Math.min(meant.index, items.length - 1) : Math.min(0, items.length - 1);
  const optionId = (index: number) => `${listId}-${index}`;
  const choose = (index: number) => setMeant({ subject, index });
  useEffect(() => {
    document.getElementById(`${listId}-${chosen}`)?.scrollIntoView({ block: "nearest" });
  }, [listId, chosen]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (composing(event.nativeEvent) || items.length === 0) return;
    const to = { ArrowDown: (chosen + 1) % items.length, ArrowUp: (chosen - 1 + items.length) % items.length }[event.key];
    if (to !== undefined) choose(to);
    else if (event.key === "Enter") take(items[chosen]!, event.ctrlKey || event.metaKey);
    else return;
    event.preventDefault();
  };
  const field = { "aria-controls": listId, ...(chosen >= 0 ? { "aria-activedescendant": optionId(chosen) } : {}) };
  return { items, listId, chosen, optionId, field, onKeyDown, choose };
}

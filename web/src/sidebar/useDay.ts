/** The present day; changes at midnight. */
import { useEffect, useState } from "react";

const midnightAfter = (day: Date): number => new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).getTime();

export function useDay(): Date {
  const [day, setDay] = useState(() => new Date());
  useEffect(() => {
    const timer = setTimeout(() => setDay(new Date()), midnightAfter(day) - Date.now() + 50);
    return () => clearTimeout(timer);
  }, [day]);
  return day;
}

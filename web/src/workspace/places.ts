/** Which part of a pane the pointer is at. Pure. */
import type { Edge } from "./layout";

export type Place = Edge | "center";

/** The nearest edge, when the pointer is within a quarter of the pane of it. */
export function placeOf(x: number, y: number, width: number, height: number): Place {
  const distances: [Place, number][] = [
    ["left", x / width],
    ["right", 1 - x / width],
    ["top", y / height],
    ["bottom", 1 - y / height],
  ];
  const [edge, distance] = distances.reduce((nearest, one) => (one[1] < nearest[1] ? one : nearest));
  return distance < 0.25 ? edge : "center";
}

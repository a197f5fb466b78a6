/** Where the reader is: at the end, or at some block of some row. Knows how to find it, and how to put it back. */
import { deepest, pathTo, resolve } from "./block";
import type { Place } from "./follow";

interface Pin {
  element: Element;
  offset: number;
}

/** What is read: how high it was, and how wide the view, when it last stood where it should. */
interface Block extends Pin {
  height: number;
  width: number;
}

const PIN_MS = 400;

export class Anchor {
  /** The end is what is looked at. */
  following: boolean;
  private block: Block | null = null;
  /** What was clicked stays under the pointer, whatever the click unfolds. */
  private pinned: (Pin & { until: number }) | null = null;

  constructor(public place: Place | null) {
    this.following = place === null;
  }

  toEnd(): void {
    this.following = true;
    this.place = this.block = this.pinned = null;
  }

  /** At a row whose top is `offset` below the view's. */
  toRow(key: string, offset: number): void {
    this.following = false;
    this.block = null;
    this.place = { key, offset, block: null };
  }

  /** At what the first mounted row in view has at the view's top edge. `false` when there is none. */
  toView(box: HTMLElement, rows: Iterable<readonly [string, HTMLElement]>): boolean {
    const { top, bottom } = box.getBoundingClientRect();
    for (const [key, row] of rows) {
      const rect = row.getBoundingClientRect();
      if (rect.bottom <= top + 1) continue;
      if (rect.top > bottom) return false;
      this.toRow(key, rect.top - top);
      this.hold(box, row);
      return true;
    }
    return false;
  }

  private hold(box: HTMLElement, row: HTMLElement): void {
    const element = deepest(row, box.getBoundingClientRect().top);
    this.block = blockAt(box, element, offsetIn(box, element));
  }

  pin(box: HTMLElement, element: Element): void {
    this.pinned = { element, offset: offsetIn(box, element), until: performance.now() + PIN_MS };
  }

  unpin(): void {
    this.pinned = null;
  }

  /** Scrolls so that it stands where it stood. `true` when that was for a pin: what is in view may be another thing then. */
  restore(box: HTMLElement, rowOf: (key: string) => HTMLElement | undefined): boolean {
    if (this.pinned && this.pinned.until > performance.now() && this.pinned.element.isConnected) {
      correct(box, this.pinned);
      return true;
    }
    if (this.following) {
      if (gapOf(box) !== 0) box.scrollTop = box.scrollHeight;
      return false;
    }
    const row = this.place ? rowOf(this.place.key) : undefined;
    if (!row || !this.place) return false;
    const kept = this.block ? null : this.place.block && resolve(row, this.place.block);
    if (kept) this.block = blockAt(box, kept.element, kept.offset);
    if (this.block?.element.isConnected) {
      this.block = reflowed(box, this.block);
      correct(box, this.block);
    } else {
      correct(box, { element: row, offset: this.place.offset });
    }
    this.place = { ...this.place, offset: offsetIn(box, row) };
    if (!this.block?.element.isConnected) this.hold(box, row);
    return false;
  }

  /** As it can be kept: without elements. `null` is the end. */
  kept(rowOf: (key: string) => HTMLElement | undefined): Place | null {
    if (this.following || !this.place) return null;
    const row = rowOf(this.place.key);
    const block = row && this.block?.element.isConnected ? { path: pathTo(row, this.block.element), offset: this.block.offset } : this.place.block;
    return { ...this.place, block };
  }
}

/** How far the content goes on below the view. */
export const gapOf = (box: HTMLElement): number => box.scrollHeight - box.clientHeight - box.scrollTop;

const offsetIn = (box: HTMLElement, element: Element): number => element.getBoundingClientRect().top - box.getBoundingClientRect().top;

const blockAt = (box: HTMLElement, element: Element, offset: number): Block => ({
  element,
  offset,
  height: element.getBoundingClientRect().height,
  width: box.clientWidth,
});

/** In a wider or narrower view a block has fewer or more lines: the line at the view's edge stays there, not the block's top. */
function reflowed(box: HTMLElement, { element, offset, height, width }: Block): Block {
  const now = blockAt(box, element, offset);
  return now.width === width || offset >= 0 || height === 0 ? now : { ...now, offset: (offset * now.height) / height };
}

function correct(box: HTMLElement, { element, offset }: Pin): void {
  const drift = offsetIn(box, element) - offset;
  if (Math.abs(drift) >= 0.5) box.scrollTop += drift;
}

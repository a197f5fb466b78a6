/**
 * Keeps the page still under its reader. Rows stand in normal flow between gaps of the height of what is not mounted; after
 * whatever may have moved them (a commit, a resize, late growth) and before it is painted, either the end is scrolled to,
 * or what was at the view's top edge is put back where it was.
 */
import { flushSync } from "react-dom";
import { Anchor, gapOf } from "./Anchor";
import { follows, type Place } from "./follow";
import { rowAt, type Span, spanAround, steady } from "./span";

/** What unfolds something beneath it. */
const TOGGLE = "[aria-expanded]:not([aria-haspopup]), [aria-pressed], summary";
const OLDER_PX = 1500;
const SAVE_MS = 200;
/** The jump button is for those who are farther from the end than this. */
const AWAY_PX = 8;

interface Given {
  place: Place | null;
  /** The height of a row that was never measured. */
  guess: (key: string, width: number) => number;
  save: (place: Place | null) => void;
  /** The reader is near the first row. */
  nearTop: () => void;
}

export class Scroller {
  /** The end is out of sight. */
  away = false;
  version = 0;
  private readonly anchor: Anchor;
  private box: HTMLElement | null = null;
  private keys: readonly string[] = [];
  private span: Span = { from: 0, to: 0 };
  /** How the box stood when it was last left in order. */
  private top = 0;
  private extent = 0;
  private view = 0;
  private width = 0;
  private readonly heights = new Map<string, number>();
  private readonly elements = new Map<string, HTMLElement>();
  private readonly listeners = new Set<() => void>();
  private readonly sizes = new ResizeObserver((entries) => this.resized(entries));
  /** Tells of what rows change by themselves at once; sizes are told of only before the paint. */
  private readonly changes = new MutationObserver(() => this.restore());
  private saving: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly given: Given) {
    this.anchor = new Anchor(given.place);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** A ref for the scrolling element. */
  attach = (box: HTMLElement | null): (() => void) | undefined => {
    if (!box) return;
    this.box = box;
    this.view = box.clientHeight;
    this.width = box.clientWidth;
    this.sizes.observe(box);
    this.changes.observe(box, { subtree: true, childList: true, characterData: true });
    const left = new AbortController();
    box.addEventListener("scroll", () => this.scrolled(box), { passive: true, signal: left.signal });
    box.addEventListener("click", (event) => this.clicked(box, event), { capture: true, signal: left.signal });
    window.addEventListener("pagehide", () => this.save(), { signal: left.signal });
    return () => {
      this.save();
      left.abort();
      this.sizes.disconnect();
      this.changes.disconnect();
      this.box = null;
    };
  };

  /** A ref for a row's element, which has its key in `data-item`. */
  row = (element: HTMLElement | null): (() => void) | undefined => {
    const key = element?.dataset.item;
    if (!element || key === undefined) return;
    this.elements.set(key, element);
    this.sizes.observe(element);
    return () => {
      this.sizes.unobserve(element);
      if (this.elements.get(key) === element) this.elements.delete(key);
    };
  };

  /** What to render of these rows. */
  plan(keys: readonly string[]): { span: Span; sizes: number[]; held: number } {
    const sizes = keys.map(this.sizeOf);
    const { at, offset } = this.where(keys, sizes);
    const beyond = Math.min(900, Math.max(400, this.view * 0.75));
    const wanted = spanAround(sizes, at, offset, this.view, beyond);
    const needed = spanAround(sizes, at, offset, this.view, beyond / 2);
    const focused = document.activeElement?.closest<HTMLElement>("[data-item]");
    const held = focused && this.box?.contains(focused) ? keys.indexOf(focused.dataset.item!) : -1;
    return { span: keys === this.keys ? steady(this.span, needed, wanted) : wanted, sizes, held };
  }

  /** These rows have been rendered as planned, and are not painted yet. */
  settle(keys: readonly string[], span: Span): void {
    this.keys = keys;
    this.span = span;
    for (const [key, element] of this.mounted()) this.heights.set(key, element.getBoundingClientRect().height);
    const { place } = this.anchor;
    if (place && !keys.includes(place.key)) this.look();
    this.moved();
  }

  /** Goes to the end and follows it from now on. */
  toEnd = (): void => {
    this.anchor.toEnd();
    this.moved(true);
    this.saveSoon();
  };

  /** Holds a row at a height of the window: it has taken the place of the one that was there. */
  hold(key: string, height: number): void {
    if (!this.box) return;
    this.anchor.unpin();
    this.anchor.toRow(key, height - this.box.getBoundingClientRect().top);
    this.moved(true);
  }

  /** Where in the window a row begins. */
  heightOf = (key: string): number | null => this.elements.get(key)?.getBoundingClientRect().top ?? null;

  private sizeOf = (key: string): number => {
    const known = this.heights.get(key) ?? this.given.guess(key, this.width || 736);
    this.heights.set(key, known);
    return known;
  };

  private elementOf = (key: string): HTMLElement | undefined => this.elements.get(key);

  private *mounted(): Generator<readonly [string, HTMLElement]> {
    for (const key of this.keys.slice(this.span.from, this.span.to)) {
      const element = this.elements.get(key);
      if (element) yield [key, element];
    }
  }

  private where(keys: readonly string[], sizes: readonly number[]): { at: number; offset: number } {
    const { place, following } = this.anchor;
    const last = Math.max(0, keys.length - 1);
    if (following) return { at: last, offset: this.view - (sizes[last] ?? 0) };
    const at = place ? keys.indexOf(place.key) : -1;
    return place && at >= 0 ? { at, offset: place.offset } : rowAt(sizes, this.top);
  }

  /** Takes what is in view for what is read; `false` when that is not mounted. */
  private look(): boolean {
    if (!this.box || this.anchor.following) return true;
    if (this.anchor.toView(this.box, this.mounted())) return this.anchor.place!.offset <= 1 || this.span.from === 0;
    const { at, offset } = rowAt(this.keys.map(this.sizeOf), this.top);
    if (this.keys[at] !== undefined) this.anchor.toRow(this.keys[at], offset);
    return false;
  }

  private scrolled(box: HTMLElement): void {
    if (Math.abs(box.scrollTop - this.top) < 0.5) return;
    const now = { top: box.scrollTop, gap: gapOf(box) };
    const { following } = this.anchor;
    // Rows became shorter and the browser had to move: they are about to be observed, and put where they were.
    if (!following && now.gap < 1 && box.scrollHeight < this.extent) return;
    if (follows({ following, top: this.top }, now)) this.anchor.toEnd();
    else this.anchor.following = false;
    this.anchor.unpin();
    this.top = now.top;
    if (this.look()) {
      this.update();
    } else {
      // What is in view is only mounted now.
      flushSync(() => this.update());
      this.look();
    }
    this.saveSoon();
  }

  private clicked(box: HTMLElement, { target }: Event): void {
    const toggle = target instanceof Element ? target.closest(TOGGLE) : null;
    if (toggle) this.anchor.pin(box, toggle);
  }

  private resized(entries: ResizeObserverEntry[]): void {
    for (const { target, borderBoxSize } of entries) {
      if (target === this.box) {
        this.view = this.box.clientHeight;
        this.width = this.box.clientWidth;
      } else if (target.isConnected) {
        this.heights.set((target as HTMLElement).dataset.item!, borderBoxSize[0]!.blockSize);
      }
    }
    this.moved();
  }

  /** Something may stand elsewhere than before. */
  private moved(force = false): void {
    this.restore();
    this.update(force);
  }

  private restore(): void {
    const { box, anchor } = this;
    if (!box || this.view === 0) return;
    if (anchor.restore(box, this.elementOf)) {
      anchor.following = gapOf(box) < 1;
      this.look();
    }
    this.top = box.scrollTop;
    this.extent = box.scrollHeight;
  }

  private update(force = false): void {
    if (!this.box) return;
    const { span } = this.plan(this.keys);
    const away = !this.anchor.following && gapOf(this.box) > AWAY_PX;
    if (force || span.from !== this.span.from || span.to !== this.span.to || away !== this.away) {
      this.away = away;
      this.version++;
      this.listeners.forEach((listener) => listener());
    }
    if (span.from === 0 && this.keys.length > 0 && this.top < OLDER_PX) this.given.nearTop();
  }

  private saveSoon(): void {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.save(), SAVE_MS);
  }

  private save(): void {
    clearTimeout(this.saving);
    this.given.save(this.anchor.kept(this.elementOf));
  }
}

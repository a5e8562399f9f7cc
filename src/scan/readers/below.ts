import type { Reader } from '../reader.ts';
import { View } from '../view.ts';

/** Two bytes that are in no literal and no word. */
const APART = new Uint8Array(2);

/**
 * The views that one reader of a view feeds. What is short shares one view for each format, set apart by bytes that join
 * nothing; what is long has a view of its own for each alignment.
 */
export class Below {
  readonly #parent: View;
  readonly #readersOf: (view: View) => readonly Reader[];
  readonly #views = new Map<string, View>();
  /** Something was fed since the last stream ended. */
  #used = false;
  #last: View | null = null;
  #lastLane = '';
  #lastIsLong = false;
  /** Views that have been fed since the last break. */
  readonly #fed = new Set<View>();
  #lastFed: View | null = null;

  constructor(parent: View, readersOf: (view: View) => readonly Reader[]) {
    this.#parent = parent;
    this.#readersOf = readersOf;
  }

  /**
   * Feeds `size` bytes that were decoded, from `ratio` bytes each at `source` of the parent. `lane` is the format for what is
   * whole; with a slash and a number behind it, for a piece of something longer.
   */
  feed(lane: string, bytes: Uint8Array, from: number, size: number, source: number, ratio: number): void {
    if (size === 0) return;
    this.#used = true;
    const view = this.#viewOf(lane);
    view.anchor(source, ratio);
    view.append(bytes, from, from + size);
    if (this.#lastIsLong) {
      if (view !== this.#lastFed) this.#fed.add(view);
      this.#lastFed = view;
      return;
    }
    view.anchor(source, 0);
    view.append(APART, 0, 2);
  }

  /** Has everything read that was fed. */
  flush(): void {
    if (!this.#used) return;
    for (const view of this.#views.values()) view.flush();
  }

  #viewOf(lane: string): View {
    // The view that was fed last is mostly the one that is fed next.
    if (this.#last !== null && this.#lastLane === lane) return this.#last;
    let view = this.#views.get(lane);
    if (view === undefined) {
      const { context, via } = this.#parent;
      const format = lane.split('/', 1)[0] as string;
      view = new View(context, this.#parent, [...via, format], this.#readersOf);
      this.#views.set(lane, view);
    }
    this.#last = view;
    this.#lastLane = lane;
    this.#lastIsLong = lane.includes('/');
    return view;
  }

  /** The same for one of them. */
  breakLane(lane: string): void {
    this.#views.get(lane)?.break();
  }

  /** What is fed next does not follow what was fed. Views shared by short pieces need not be told. */
  break(): void {
    for (const view of this.#fed) view.break();
    this.#fed.clear();
    this.#lastFed = null;
  }

  /** The stream is over. */
  end(): void {
    if (!this.#used) return;
    this.#used = false;
    for (const view of this.#views.values()) view.break();
    this.#fed.clear();
    this.#lastFed = null;
  }

  open(soft: boolean): number {
    if (!this.#used) return Infinity;
    let place = Infinity;
    for (const view of this.#views.values()) place = Math.min(place, view.open(soft));
    return place;
  }
}

/** Numbers of an anchor, in the order in which they stand. */
const PER_ANCHOR = 3;
const SOURCE = 1;
const RATIO = 2;
/** Anchors there is room for at first, and room that is kept for the next stream. */
const ROOM = 16;
const MOST_KEPT = 1024;

/**
 * How places of a view map to those of its parent: from a place on, its bytes stood at `source`, `ratio` bytes of the parent for
 * each. One flat list: in text full of escapes there is one for every few bytes.
 */
export class Anchors {
  #numbers = new Float64Array(PER_ANCHOR * ROOM);
  /** Index of the last anchor; negative: there is none. */
  #last = -PER_ANCHOR;

  /** From `place` on, behind all places that were told before. */
  add(place: number, source: number, ratio: number): void {
    const last = this.#last;
    if (last >= 0 && this.#numbers[last + RATIO] === ratio && this.#mapped(last, place) === source) return;
    const next = last + PER_ANCHOR;
    if (next === this.#numbers.length) this.#grow();
    const numbers = this.#numbers;
    numbers[next] = place;
    numbers[next + SOURCE] = source;
    numbers[next + RATIO] = ratio;
    this.#last = next;
  }

  /** Where in the parent a place stood; 0 where nothing is known. */
  sourceOf(place: number): number {
    let at = this.#last;
    if (at < 0) return 0;
    while (at > 0 && (this.#numbers[at] as number) > place) at -= PER_ANCHOR;
    return this.#mapped(at, place);
  }

  /** Nobody asks for places before this one any more. */
  drop(before: number): void {
    // Moving what is kept is worth it once half of it goes.
    const half = PER_ANCHOR * ((this.#last / PER_ANCHOR + 1) >> 1);
    if (half <= 0 || (this.#numbers[half] as number) > before) return;
    this.#numbers.copyWithin(0, half, this.#last + PER_ANCHOR);
    this.#last -= half;
  }

  /** Nobody asks for any place that was told before. */
  clear(): void {
    this.#last = -PER_ANCHOR;
    if (this.#numbers.length > PER_ANCHOR * MOST_KEPT) this.#numbers = new Float64Array(PER_ANCHOR * ROOM);
  }

  #grow(): void {
    const grown = new Float64Array(2 * this.#numbers.length);
    grown.set(this.#numbers);
    this.#numbers = grown;
  }

  #mapped(at: number, place: number): number {
    const behind = Math.max(0, place - (this.#numbers[at] as number));
    return (this.#numbers[at + SOURCE] as number) + Math.floor(behind * (this.#numbers[at + RATIO] as number));
  }
}

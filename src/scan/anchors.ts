/**
 * How places of a view map to those of its parent: from a place on, its bytes stood at `source`, `ratio` bytes of the parent for
 * each. Flat lists: in text full of escapes there is one for every few bytes.
 */
export class Anchors {
  #places: number[] = [];
  #sources: number[] = [];
  #ratios: number[] = [];

  /** From `place` on, behind all places that were told before. */
  add(place: number, source: number, ratio: number): void {
    const last = this.#places.length - 1;
    if (last >= 0 && this.#ratios[last] === ratio && this.#mapped(last, place) === source) return;
    this.#places.push(place);
    this.#sources.push(source);
    this.#ratios.push(ratio);
  }

  /** Where in the parent a place stood; 0 where nothing is known. */
  sourceOf(place: number): number {
    let at = this.#places.length - 1;
    if (at < 0) return 0;
    while (at > 0 && (this.#places[at] as number) > place) at--;
    return this.#mapped(at, place);
  }

  /** Nobody asks for places before this one any more. */
  drop(before: number): void {
    const places = this.#places;
    // Moving what is kept is worth it once half of it goes.
    const half = places.length >> 1;
    if (half === 0 || (places[half] as number) > before) return;
    this.#places = places.slice(half);
    this.#sources = this.#sources.slice(half);
    this.#ratios = this.#ratios.slice(half);
  }

  /** Nobody asks for any place that was told before. */
  clear(): void {
    if (this.#places.length === 0) return;
    this.#places = [];
    this.#sources = [];
    this.#ratios = [];
  }

  #mapped(at: number, place: number): number {
    const behind = Math.max(0, place - (this.#places[at] as number));
    return (this.#sources[at] as number) + Math.floor(behind * (this.#ratios[at] as number));
  }
}

import { copyBytes } from './bytes.ts';
import type { Fragment } from './fragments.ts';

/** Parts that are remembered of one place, and bytes of each. */
const PARTS = 12;
export const LENGTH = 128;
/** Bytes there is room for at first. */
const ROOM = 64;

/** The ends of what was sent at one place, one behind the other, latest last. */
export class Row {
  #bytes = new Uint8Array(0);
  /** Where each part ends. */
  readonly #ends = new Int32Array(PARTS);
  readonly #hashes = new Int32Array(PARTS);
  #count = 0;
  #size = 0;

  /** Bytes of all parts. */
  get size(): number {
    return this.#size;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether something that ends as this does was sent already. */
  has(fragment: Fragment): boolean {
    for (let part = 0; part < this.#count; part++)
      if (this.#hashes[part] === fragment.hash)
        return fragment.endsAs(this.#bytes, this.#start(part), this.#ends[part] as number);
    return false;
  }

  /** Adds parts, the latest last; of too many, the first are forgotten. */
  addAll(fragments: readonly Fragment[]): void {
    const first = Math.max(0, fragments.length - PARTS);
    this.#forget(this.#count + fragments.length - first - PARTS);
    for (let index = first; index < fragments.length; index++) this.#add(fragments[index] as Fragment);
  }

  #add(fragment: Fragment): void {
    const length = Math.min(fragment.length, LENGTH);
    const size = this.#size;
    if (size + length > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(PARTS * LENGTH, Math.max(ROOM, 2 * (size + length))));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    fragment.copy(fragment.length - length, fragment.length, this.#bytes, size);
    this.#ends[this.#count] = this.#size = size + length;
    this.#hashes[this.#count++] = fragment.hash;
  }

  copy(): Row {
    const copy = new Row();
    copy.#bytes = this.#bytes.slice();
    copy.#ends.set(this.#ends);
    copy.#hashes.set(this.#hashes);
    copy.#count = this.#count;
    copy.#size = this.#size;
    return copy;
  }

  /** Writes all parts, the first one first, and notes where each ends; returns the index behind them. */
  write(target: Uint8Array, at: number, ends: number[] | null): number {
    copyBytes(this.#bytes, 0, this.#size, target, at);
    if (ends !== null) for (let part = 0; part < this.#count; part++) ends.push(at + (this.#ends[part] as number));
    return at + this.#size;
  }

  /** The same, the last one first. */
  writeBack(target: Uint8Array, at: number, ends: number[] | null): number {
    let put = at;
    for (let part = this.#count - 1; part >= 0; part--) {
      const [from, to] = [this.#start(part), this.#ends[part] as number];
      copyBytes(this.#bytes, from, to, target, put);
      put += to - from;
      ends?.push(put);
    }
    return put;
  }

  #start(part: number): number {
    return part === 0 ? 0 : (this.#ends[part - 1] as number);
  }

  /** Forgets the first of the parts. */
  #forget(count: number): void {
    if (count <= 0) return;
    const first = this.#ends[count - 1] as number;
    this.#bytes.copyWithin(0, first, this.#size);
    this.#count -= count;
    this.#size -= first;
    for (let part = 0; part < this.#count; part++) {
      this.#ends[part] = (this.#ends[part + count] as number) - first;
      this.#hashes[part] = this.#hashes[part + count] as number;
    }
  }
}

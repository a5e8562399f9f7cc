import { TRAITS, nextWith } from '../bytes.ts';
import { scratch } from '../scratch.ts';
import type { Reader } from '../reader.ts';
import type { View } from '../view.ts';
import type { Below } from './below.ts';

/** Characters in a row that make it text. */
const LEAST = 12;
const PIECE = 2048;
const roomAt = scratch(PIECE + 8);

/** Text in UTF-16 or UTF-32, either byte order, as far as it is ASCII: every other byte, or three in four, is zero. */
export class Utf16Reader implements Reader {
  readonly #view: View;
  readonly #below: Below;
  readonly #out: Uint8Array;
  /** Place up to which zeros have been looked for. */
  #from = 0;
  /** Bytes of each character of a text that is longer than a piece, and under way; 0: none is. */
  #long = 0;
  waiting = Infinity;
  readonly asks = TRAITS.zero;

  constructor(view: View, below: Below) {
    this.#view = view;
    this.#below = below;
    this.#out = roomAt(view.via.length);
  }

  restart(): void {
    this.#from = this.#view.end;
    this.#long = 0;
    this.waiting = Infinity;
    this.#below.end();
  }

  opened(soft: boolean): number {
    return this.#below.open(soft);
  }

  read(_from: number, to: number, final: boolean): void {
    const { bytes, base, begin } = this.#view;
    const pending = this.waiting !== Infinity;
    this.waiting = Infinity;
    if (!pending && (this.#view.traits & TRAITS.zero) === 0) {
      this.#from = base + to;
      return;
    }
    let at = this.#from - base;
    for (;;) {
      if (this.#long > 0) {
        const next = this.#goOn(at, to, final);
        if (next < 0) return;
        at = next;
        continue;
      }
      const zero = nextWith(bytes, this.#view, TRAITS.zero, at, to);
      if (zero >= to) break;
      // The first character may stand before the first zero.
      const first = base + zero > begin && isText(bytes[zero - 1] as number) ? zero - 1 : zero + 1;
      const stride = strideAt(bytes, first, to);
      if (stride < 0 && !final) {
        this.waiting = this.#from = base + zero;
        this.#below.flush();
        return;
      }
      const end = stride <= 0 ? first : this.#run(first, to, stride);
      if (stride > 0 && end >= to && !final && end - first < PIECE * stride) {
        this.waiting = this.#from = base + zero;
        this.#below.flush();
        return;
      }
      const count = stride <= 0 ? 0 : Math.ceil((end - first) / stride);
      at = count >= LEAST ? end : zero + 1;
      if (count === PIECE) this.#long = stride;
      if (count >= LEAST) this.#feed(first, count, stride);
      if (this.#long > 0) continue;
      while (bytes[at] === 0 && at < to) at++;
    }
    this.#from = base + Math.max(at, to);
    this.#below.flush();
  }

  /** Reads on in a long text; returns the index behind what was read, -1 where more must be there. */
  #goOn(at: number, to: number, final: boolean): number {
    const stride = this.#long;
    const end = this.#run(at, to, stride);
    if (end >= to && !final && end - at < PIECE * stride) {
      this.waiting = this.#from = this.#view.base + at;
      this.#below.flush();
      return -1;
    }
    const count = Math.ceil((end - at) / stride);
    this.#feed(at, count, stride);
    if (count < PIECE) {
      this.#long = 0;
      this.#below.break();
    }
    return Math.min(end, to);
  }

  /** Index behind the text that begins at `first`, at most a piece of it. */
  #run(first: number, to: number, stride: number): number {
    const { bytes } = this.#view;
    let at = first;
    const most = Math.min(to, first + PIECE * stride);
    while (at < most && isText(bytes[at] as number)) {
      for (let gap = 1; gap < stride; gap++) if (at + gap < to && bytes[at + gap] !== 0) return at + 1;
      at += stride;
    }
    return at;
  }

  #feed(first: number, count: number, stride: number): void {
    const { bytes, base, context } = this.#view;
    context.budget.spend(count);
    for (let i = 0; i < count; i++) this.#out[i] = bytes[first + i * stride] as number;
    const format = stride === 2 ? 'utf-16' : 'utf-32';
    this.#below.feed(this.#long > 0 ? `${format}/0` : format, this.#out, 0, count, base + first, stride);
  }
}

/** Bytes of each character of the text at `first`; 0: it is none; -1: too little is there to tell. */
function strideAt(bytes: Uint8Array, first: number, to: number): number {
  if (first + 8 >= to) return -1;
  if (!isText(bytes[first] as number) || bytes[first + 1] !== 0) return 0;
  if (isText(bytes[first + 2] as number)) return bytes[first + 3] === 0 ? 2 : 0;
  return bytes[first + 2] === 0 && bytes[first + 3] === 0 && isText(bytes[first + 4] as number) ? 4 : 0;
}

function isText(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

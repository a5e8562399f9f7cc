import { createHmac } from 'node:crypto';

/** Shortest value that can be registered: shorter ones occur by chance, and a sampled window would miss them. */
export const SHORTEST = 11;
export const LONGEST = 64 * 1024;
/** Bytes of a window, and how far apart the windows are that are looked at. */
const WINDOW = 8;
export const STRIDE = 4;
/** Long values are known by their parts, so that one that was cut is found too. */
const PART = 48;

/** One text that stands for a registered value, as far as it is known: keyed hashes, and no part of the text itself. */
export interface Print {
  readonly length: number;
  /** Hashes of the windows at the first offsets: one of them is met by every stride. */
  readonly anchors: readonly number[];
  /** HMAC-SHA256 of the text, hex, cut to 128 bits. */
  readonly digest: string;
}

/** A value of somebody's own that must not leave. */
export interface RegisteredValue {
  readonly name: string;
  /** `canary`: planted; nobody has a reason to send it anywhere. */
  readonly kind: 'value' | 'canary';
  /** ISO 8601. */
  readonly registered: string;
  readonly belongsTo: readonly string[];
  readonly prints: readonly Print[];
}

/** Makes the prints of a value: as it is, in either case, backwards and in ROT13, each in parts where it is long. */
export function printsOf(value: Buffer, key: Buffer): readonly Print[] {
  const text = value.toString('latin1');
  const forms = new Set([text, text.toUpperCase(), text.toLowerCase(), [...text].reverse().join(''), rot13(text)]);
  return [...forms].flatMap(partsOf).map((part) => printOf(Buffer.from(part, 'latin1'), key));
}

function partsOf(text: string): string[] {
  if (text.length < 2 * PART) return [text];
  const parts: string[] = [];
  for (let at = 0; at + PART <= text.length; at += PART) parts.push(text.slice(at, at + PART));
  return [...parts, text.slice(-PART)];
}

function rot13(text: string): string {
  return text.replace(/[A-Za-z]/g, (char) => {
    const base = char <= 'Z' ? 65 : 97;
    return String.fromCharCode(((char.charCodeAt(0) - base + 13) % 26) + base);
  });
}

function printOf(bytes: Buffer, key: Buffer): Print {
  const [low, high] = seedsOf(key);
  const anchors = Array.from({ length: STRIDE }, (_, offset) => windowHash(bytes, offset, low, high));
  return { length: bytes.length, anchors, digest: digestOf(bytes, key) };
}

function digestOf(bytes: Uint8Array, key: Buffer): string {
  return createHmac('sha256', key).update(bytes).digest('hex').slice(0, 32);
}

function seedsOf(key: Buffer): readonly [number, number] {
  return [key.readInt32LE(0) | 1, key.readInt32LE(4) | 1];
}

/** A keyed hash of eight bytes. Quick, and no secret by itself: the digest decides. */
function windowHash(bytes: Uint8Array, at: number, low: number, high: number): number {
  const first =
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24);
  const second =
    (bytes[at + 4] as number) |
    ((bytes[at + 5] as number) << 8) |
    ((bytes[at + 6] as number) << 16) |
    ((bytes[at + 7] as number) << 24);
  let hash = Math.imul(first ^ low, 0x9e3779b1) ^ Math.imul(second ^ high, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Where a window was met that begins a registered value. */
export interface Meeting {
  readonly value: RegisteredValue;
  readonly print: Print;
  /** How far the window stands behind the start of the value. */
  readonly offset: number;
}

const FILTER_BITS = 16;
/** Windows the kernel has room for, and what it has for them. */
const MOST_WINDOWS = 4096;
const ROOM = 16_384;

/** What the kernel looks for (kernel/sought.ts): keys of the hashes, a bit for the upper half of each, and all of them by their lower bits. */
export interface Windows {
  readonly low: number;
  readonly high: number;
  readonly bits: Uint8Array;
  readonly hashes: Int32Array;
}

/** All registered values, ready to be looked for. */
export class Registered {
  readonly #key: Buffer;
  readonly #low: number;
  readonly #high: number;
  readonly #meetings = new Map<number, Meeting[]>();
  /** One bit for each beginning of a hash: most windows are told apart here. */
  readonly #filter = new Uint8Array(2 ** FILTER_BITS);
  readonly hasCanaries: boolean;

  readonly values: readonly RegisteredValue[];

  constructor(values: readonly RegisteredValue[], key: Buffer) {
    this.values = values;
    this.#key = key;
    [this.#low, this.#high] = seedsOf(key);
    this.hasCanaries = values.some(({ kind }) => kind === 'canary');
    for (const value of values)
      for (const print of value.prints)
        print.anchors.forEach((hash, offset) => {
          const meetings = this.#meetings.get(hash) ?? [];
          this.#meetings.set(hash, [...meetings, { value, print, offset }]);
          this.#filter[hash >>> (32 - FILTER_BITS)] = 1;
        });
  }

  get size(): number {
    return this.#meetings.size;
  }

  /** What the kernel is to look for; null: there are too many. */
  windows(): Windows | null {
    if (this.size > MOST_WINDOWS) return null;
    const bits = new Uint8Array(2 ** FILTER_BITS / 8);
    const hashes = new Int32Array(ROOM);
    for (const hash of this.#meetings.keys()) {
      const upper = hash >>> (32 - FILTER_BITS);
      bits[upper >> 3] = (bits[upper >> 3] as number) | (1 << (upper & 7));
      let slot = hash & (ROOM - 1);
      while (hashes[slot] !== 0) slot = (slot + 1) & (ROOM - 1);
      hashes[slot] = hash;
    }
    return { low: this.#low, high: this.#high, bits, hashes };
  }

  /** What begins at, or a little before, the window at an index. */
  meet(bytes: Uint8Array, at: number): readonly Meeting[] | null {
    const hash = windowHash(bytes, at, this.#low, this.#high);
    if (this.#filter[hash >>> (32 - FILTER_BITS)] === 0) return null;
    return this.#meetings.get(hash) ?? null;
  }

  /** Whether the bytes are those the print is of. */
  confirms(print: Print, bytes: Uint8Array): boolean {
    return digestOf(bytes, this.#key) === print.digest;
  }

  static readonly WINDOW = WINDOW;
}

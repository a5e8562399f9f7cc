import { Decompress } from 'fzstd';

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
/** Largest window a decoder must have (RFC 9659 §3). */
const MAX_WINDOW = 8 * 1024 * 1024;
/** fzstd makes a window for each frame and moves it for each block: a body that asks for more bytes of that is made to be slow. */
const MAX_MOVED = 512 * 1024 * 1024;
/** Longest frame header: magic, descriptor, window, dictionary, content size (RFC 8878 §3.1.1.1). */
const MAX_HEADER = 18;

/** A frame, as far as its headers tell. */
export interface ZstdFrame {
  readonly window: number;
  readonly checksum: boolean;
  /** Bytes of the header, magic included. */
  readonly length: number;
}

/** Reads a frame header (RFC 8878 §3.1.1.1); null when more bytes are needed. Throws for what is none, RangeError for what wants too much. */
export function readFrameHeader(bytes: Buffer): ZstdFrame | null {
  if (bytes.length < 5) return null;
  if (bytes.readUInt32LE(0) !== MAGIC) throw new Error('not a Zstandard frame');
  const descriptor = bytes[4] as number;
  const single = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const dictionary = [0, 1, 2, 4][descriptor & 3] as number;
  const size = sizeFlag === 0 ? (single ? 1 : 0) : 1 << sizeFlag;
  const length = 5 + (single ? 0 : 1) + dictionary + size;
  if (bytes.length < length) return null;
  if ((descriptor & 8) !== 0) throw new Error('a reserved bit is set');
  if (dictionary > 0) throw new Error('it needs a dictionary');
  const window = single ? contentSize(bytes, length - size, size) : windowSize(bytes[5] as number);
  if (window > MAX_WINDOW) throw new RangeError(`it needs a window of ${window} bytes`);
  return { window, checksum: (descriptor & 4) !== 0, length };
}

function contentSize(bytes: Buffer, at: number, size: number): number {
  if (size === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, size) + (size === 2 ? 256 : 0);
}

function windowSize(byte: number): number {
  const base = 2 ** (10 + (byte >> 3));
  return base + (base / 8) * (byte & 7);
}

/**
 * Follows the frames and blocks of Zstandard data without decoding it, so that a decoder is only ever given what it can
 * work off: bounded windows, a bounded number of blocks, no dictionary.
 */
export class ZstdWalker {
  #bytes = Buffer.alloc(0);
  #skip = 0;
  #frame: ZstdFrame | null = null;
  #moved = 0;
  #begun = false;
  /** The last block of the frame at hand has begun. */
  #last = false;

  /** Bytes of windows that were asked for, or moved, so far. */
  get moved(): number {
    return this.#moved;
  }

  /** True behind a frame, with none begun behind it. */
  get complete(): boolean {
    return this.#begun && this.#frame === null && this.#bytes.length === 0 && this.#skip === 0;
  }

  /** Throws when these bytes must not be decoded; RangeError where they want too much. */
  push(bytes: Buffer): void {
    let rest = bytes;
    this.#begun ||= bytes.length > 0;
    while (rest.length > 0) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, rest.length);
        this.#skip -= skipped;
        rest = rest.subarray(skipped);
        if (this.#skip > 0) return;
        this.#settle();
        continue;
      }
      // Headers are short: what is kept of them never grows beyond one.
      const taken = rest.subarray(0, MAX_HEADER);
      const before = this.#bytes.length;
      this.#bytes = Buffer.concat([this.#bytes, taken]);
      const used = this.#frame === null ? this.#readFrame() : this.#readBlock();
      if (used === 0) {
        rest = rest.subarray(taken.length);
        continue;
      }
      this.#bytes = Buffer.alloc(0);
      rest = rest.subarray(used - before);
      this.#settle();
    }
  }

  /** Bytes of a frame header or a skippable frame's head; 0 when more are needed. */
  #readFrame(): number {
    const bytes = this.#bytes;
    if (bytes.length >= 4 && bytes.readUInt32LE(0) >>> 4 === SKIPPABLE >>> 4) {
      if (bytes.length < 8) return 0;
      this.#skip = bytes.readUInt32LE(4);
      return 8;
    }
    this.#frame = readFrameHeader(bytes);
    if (this.#frame === null) return 0;
    this.#work(this.#frame.window);
    return this.#frame.length;
  }

  /** Bytes of a block header (RFC 8878 §3.1.1.2); 0 when more are needed. */
  #readBlock(): number {
    if (this.#bytes.length < 3) return 0;
    const header = this.#bytes.readUIntLE(0, 3);
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3) throw new Error('a block of a reserved type');
    this.#work(this.#frame?.window ?? 0);
    this.#last = (header & 1) !== 0;
    // A block of type RLE is one byte, whatever it stands for.
    this.#skip = (type === 1 ? 1 : size) + (this.#last && this.#frame?.checksum === true ? 4 : 0);
    return 3;
  }

  #work(bytes: number): void {
    this.#moved += bytes;
    if (this.#moved > MAX_MOVED) throw new RangeError('its blocks are too many for its window');
  }

  /** After the last block comes another frame. */
  #settle(): void {
    if (this.#skip > 0 || !this.#last) return;
    this.#frame = null;
    this.#last = false;
  }
}

/** Zstandard in JavaScript, for Node before 22.15. It trusts its input, so a walker goes before it. */
export class ZstdDecoder {
  readonly #walker = new ZstdWalker();
  readonly #decompress: Decompress;
  readonly #charge: (moved: number) => void;

  /** `onData` may throw to end the decoding; so may `charge`, which is told of the bytes of windows before they are moved. */
  constructor(onData: (bytes: Buffer) => void, charge: (moved: number) => void = () => undefined) {
    this.#charge = charge;
    this.#decompress = new Decompress((bytes) => onData(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
  }

  push(bytes: Buffer): void {
    const before = this.#walker.moved;
    this.#walker.push(bytes);
    this.#charge(this.#walker.moved - before);
    this.#decompress.push(bytes, false);
  }

  /** Throws when the data is cut short. */
  end(): void {
    if (!this.#walker.complete) throw new Error('unexpected end of file');
    this.#decompress.push(new Uint8Array(0), true);
  }
}

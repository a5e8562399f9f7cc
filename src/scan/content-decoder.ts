import * as zlib from 'node:zlib';
import type { Transform } from 'node:stream';
import { ZstdDecoder } from './zstd.ts';

/** A content coding (RFC 9110 §8.4.1, RFC 7932, RFC 8878) that can be seen through. */
export type Coding = 'gzip' | 'deflate' | 'br' | 'zstd';

const CODINGS: ReadonlyMap<string, Coding | null> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
  ['zstd', 'zstd'],
  ['identity', null],
]);
/** More than one coding is rare, more than two somebody's game. */
const MAX_CODINGS = 2;

/** The codings of `Content-Encoding` values in the order they were applied; null where one is not known, or they are too many. */
export function contentCodings(values: readonly string[]): readonly Coding[] | null {
  if (values.length === 0) return NO_CODINGS;
  const codings: Coding[] = [];
  for (const name of values.flatMap((value) => value.split(','))) {
    const coding = CODINGS.get(name.trim().toLowerCase());
    if (coding === undefined) return null;
    if (coding !== null) codings.push(coding);
  }
  return codings.length > MAX_CODINGS ? null : codings;
}

const NO_CODINGS: readonly Coding[] = [];

/** A body that cannot be seen through: cut short, damaged, followed by something else, or too large once decoded. */
export class CodingError extends Error {
  override name = 'CodingError';
  readonly tooLarge: boolean;

  constructor(detail: string, tooLarge: boolean, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.tooLarge = tooLarge;
  }
}

/**
 * Decodes a body piece by piece, for whoever is to judge it; what is forwarded stays as it was sent. Pieces are to be given
 * one after another. Whatever goes wrong is a CodingError, and the decoder of no use afterwards.
 */
export class ContentDecoder {
  readonly #stages: readonly Stage[];

  /** `limit`: most bytes that any stage may make of the body; `endless`: of one piece of it, where bodies have no end. */
  constructor(codings: readonly Coding[], limit: number, endless = false) {
    const bound = { limit, endless };
    this.#stages = codings.toReversed().map((coding) => stageOf(coding, bound));
  }

  /** What these bytes decode to, as far as it can be known yet. */
  async push(bytes: Buffer): Promise<Buffer> {
    let piece = bytes;
    for (const stage of this.#stages) if (piece.length > 0) piece = await stage.push(piece);
    return piece;
  }

  /** The last of it. */
  async end(): Promise<Buffer> {
    let piece: Buffer = EMPTY;
    for (const stage of this.#stages) {
      const before = piece.length > 0 ? await stage.push(piece) : EMPTY;
      piece = Buffer.concat([before, await stage.end()]);
    }
    return piece;
  }

  destroy(): void {
    for (const stage of this.#stages) stage.destroy();
  }
}

/** Decodes a whole body. */
export async function decodeContent(
  pieces: readonly Buffer[],
  codings: readonly Coding[],
  limit: number,
): Promise<Buffer> {
  if (codings.length === 0) return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  const decoder = new ContentDecoder(codings, limit);
  try {
    const decoded: Buffer[] = [];
    for (const piece of pieces) decoded.push(await decoder.push(piece));
    decoded.push(await decoder.end());
    const whole = Buffer.concat(decoded);
    if (whole.length > limit) throw tooLarge(limit);
    return whole;
  } finally {
    decoder.destroy();
  }
}

const EMPTY: Buffer = Buffer.alloc(0);

interface Stage {
  push(bytes: Buffer): Promise<Buffer>;
  end(): Promise<Buffer>;
  destroy(): void;
}

interface Bound {
  readonly limit: number;
  /** The limit is for each piece. */
  readonly endless: boolean;
}

function stageOf(coding: Coding, bound: Bound): Stage {
  switch (coding) {
    case 'gzip':
      return new EngineStage(coding, () => zlib.createGunzip(), bound);
    case 'br':
      return new EngineStage(coding, () => zlib.createBrotliDecompress(), bound);
    case 'deflate':
      return new EngineStage(
        coding,
        (first) => (isZlib(first) ? zlib.createInflate() : zlib.createInflateRaw()),
        bound,
        2,
      );
    case 'zstd':
      return nativeZstd === null ? new ZstdStage(bound) : new EngineStage(coding, nativeZstd, bound);
  }
}

/** Node has Zstandard of its own since 22.15. The largest window is that of RFC 9659. */
const nativeZstd = ((): (() => Transform) | null => {
  const { createZstdDecompress: create, constants } = zlib as unknown as {
    createZstdDecompress?: (options: object) => Transform;
    constants: { ZSTD_d_windowLogMax?: number };
  };
  const parameter = constants.ZSTD_d_windowLogMax;
  return create === undefined || parameter === undefined ? null : () => create({ params: { [parameter]: 23 } });
})();

/** `deflate` is the zlib format (RFC 9110 §8.4.1.2), but some send it without its header (RFC 1950 §2.2). */
function isZlib(first: Buffer): boolean {
  const [method = 0, flags = 0] = first;
  return (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0;
}

function tooLarge(limit: number): CodingError {
  return new CodingError(`decodes to more than ${limit} bytes`, true);
}

/** A stage that one of Node's own engines does. */
class EngineStage implements Stage {
  readonly #coding: Coding;
  readonly #make: (first: Buffer) => Transform;
  readonly #bound: Bound;
  /** Bytes that must be there before the engine can be chosen. */
  readonly #needed: number;
  #waiting: Buffer = EMPTY;
  #engine: Transform | null = null;
  #given = 0;
  #made = 0;
  #pieces: Buffer[] = [];
  #ended = false;
  #resolve: (() => void) | null = null;
  #reject: ((error: Error) => void) | null = null;
  #failure: Error | null = null;

  constructor(coding: Coding, make: (first: Buffer) => Transform, bound: Bound, needed = 0) {
    this.#coding = coding;
    this.#make = make;
    this.#bound = bound;
    this.#needed = needed;
  }

  async push(bytes: Buffer): Promise<Buffer> {
    if (this.#bound.endless) this.#made = 0;
    const ready = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes]);
    this.#waiting = EMPTY;
    if (this.#engine === null && ready.length < this.#needed) {
      this.#waiting = ready;
      return EMPTY;
    }
    const engine = (this.#engine ??= this.#open(ready));
    this.#given += ready.length;
    if (!this.#ended) await this.#settled((done) => engine.write(ready, done));
    return this.#taken();
  }

  async end(): Promise<Buffer> {
    // What never came to its first bytes is not a body of this coding.
    const engine = (this.#engine ??= this.#open(this.#waiting));
    this.#given += this.#waiting.length;
    const last = this.#waiting;
    if (!this.#ended) await this.#settled(() => engine.end(last));
    // A second document behind the first is what one parser skips and another reads.
    const { bytesWritten } = engine as unknown as { bytesWritten: number };
    if (bytesWritten !== this.#given) throw new CodingError(`${this.#coding}: something follows its end`, false);
    return this.#taken();
  }

  destroy(): void {
    this.#engine?.destroy();
  }

  #open(first: Buffer): Transform {
    const engine = this.#make(first);
    engine.on('data', (bytes: Buffer) => {
      this.#made += bytes.length;
      this.#pieces.push(bytes);
      if (this.#made <= this.#bound.limit || this.#failure !== null) return;
      // The engine may still say that it has worked the piece off.
      this.#failure = tooLarge(this.#bound.limit);
      engine.destroy(this.#failure);
    });
    engine.on('end', () => {
      this.#ended = true;
      this.#resolve?.();
    });
    engine.on('error', (error: Error) => {
      this.#failure ??=
        error instanceof CodingError ? error : new CodingError(`${this.#coding}: ${error.message}`, false, error);
      this.#reject?.(this.#failure);
    });
    return engine;
  }

  /** Waits until the engine has worked off what it is given, has ended, or has failed. */
  async #settled(give: (done: (error?: Error | null) => void) => void): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    await new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      // An error is told by the event, which knows more.
      give((error) => (error === null || error === undefined ? resolve() : undefined));
    });
    this.#resolve = null;
    this.#reject = null;
    if (this.#failure !== null) throw this.#failure;
  }

  #taken(): Buffer {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }
}

/** Zstandard where Node has none. */
class ZstdStage implements Stage {
  readonly #bound: Bound;
  readonly #decoder: ZstdDecoder;
  #made = 0;
  #pieces: Buffer[] = [];

  constructor(bound: Bound) {
    this.#bound = bound;
    this.#decoder = new ZstdDecoder((bytes) => {
      this.#made += bytes.length;
      if (this.#made > this.#bound.limit) throw tooLarge(this.#bound.limit);
      this.#pieces.push(bytes);
    });
  }

  push(bytes: Buffer): Promise<Buffer> {
    if (this.#bound.endless) this.#made = 0;
    return this.#step(() => this.#decoder.push(bytes));
  }

  end(): Promise<Buffer> {
    return this.#step(() => this.#decoder.end());
  }

  destroy(): void {
    this.#pieces = [];
  }

  async #step(act: () => void): Promise<Buffer> {
    try {
      act();
    } catch (error) {
      if (error instanceof CodingError) throw error;
      throw new CodingError(`zstd: ${(error as Error).message}`, error instanceof RangeError, error);
    }
    const pieces = this.#pieces;
    this.#pieces = [];
    return Buffer.concat(pieces);
  }
}

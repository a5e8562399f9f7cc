/** Chunks that are remembered, in sets of some: 128 KiB, for about a megabyte of text. */
const SETS = 8192;
const WAYS = 4;
/** A chunk ends where so many bits of the rolling hash are zero: 16 bytes on average behind the least. */
const BOUNDARY = 0xf000_0000;
const LEAST = 8;
const LONGEST = 64;

/** Random numbers of one gate: nobody outside can tell which chunks would be taken for known ones. */
export interface NoveltySeed {
  /** One for each byte. */
  readonly gear: Uint32Array;
  readonly start: number;
}

/** `random`: 1028 bytes. */
export function noveltySeed(random: Uint8Array): NoveltySeed {
  const view = new DataView(random.buffer, random.byteOffset, 1028);
  return { gear: Uint32Array.from({ length: 256 }, (_, i) => view.getUint32(4 * i)), start: view.getUint32(1024) };
}

/**
 * What an agent has sent and received in a session, as hashes of chunks that their content delimits: what it sends again, or
 * passes on, is known wherever it stands. What is no longer remembered counts as new.
 */
export class Novelty {
  readonly seed: NoveltySeed;
  readonly #known = new Uint32Array(SETS * WAYS);

  constructor(seed: NoveltySeed) {
    this.seed = seed;
  }

  knows(hash: number): boolean {
    const known = this.#known;
    const set = (hash % SETS) * WAYS;
    for (let place = set; place < set + WAYS; place++) if (known[place] === hash) return true;
    return false;
  }

  /** Notes a chunk. Its hash is not zero. */
  note(hash: number): void {
    const known = this.#known;
    const set = (hash % SETS) * WAYS;
    let place = set;
    while (place < set + WAYS - 1 && known[place] !== hash) place++;
    // The latest stands first, and pushes out what was not met for longest.
    for (; place > set; place--) known[place] = known[place - 1] as number;
    known[set] = hash;
  }
}

const UNESCAPED: ReadonlyMap<number, number> = new Map([
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x62, 0x08],
  [0x66, 0x0c],
]);
const BACKSLASH = 0x5c;

/** Measures one stream of bytes, piece by piece, against what is known. It is known itself once it is kept. */
export class NoveltyMeter {
  readonly #novelty: Novelty;
  /** Backslash escapes of JSON are undone: the same text is told with and without them. */
  readonly #escaped: boolean;
  #rolling = 0;
  #hash: number;
  /** Bytes of the chunk, and how many they were as they came. */
  #length = 0;
  #span = 0;
  /** Characters of an escape that are here. */
  #escape = '';
  #fresh = 0;
  /** What was new. */
  readonly #new = new Set<number>();

  constructor(novelty: Novelty, escaped: boolean) {
    this.#novelty = novelty;
    this.#escaped = escaped;
    this.#hash = novelty.seed.start;
  }

  /** Reads the next bytes; returns how many bytes of what has been delimited by now were new. */
  push(bytes: Uint8Array): number {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      this.#span++;
      if (this.#escape !== '') this.#unescape(byte);
      else if (this.#escaped && byte === BACKSLASH) this.#escape = '\\';
      else this.#take(byte);
    }
    return this.#taken();
  }

  /** The stream is over: what follows does not go on with it. Returns how many bytes of its last chunk were new. */
  end(): number {
    if (this.#span > 0) this.#cut();
    this.#escape = '';
    return this.#taken();
  }

  /** What was read has left, or arrived. */
  keep(): void {
    for (const hash of this.#new) this.#novelty.note(hash);
    this.#new.clear();
  }

  #taken(): number {
    const fresh = this.#fresh;
    this.#fresh = 0;
    return fresh;
  }

  #take(byte: number): void {
    const gear = this.#novelty.seed.gear[byte] as number;
    this.#rolling = ((this.#rolling << 1) + gear) | 0;
    this.#hash = Math.imul(this.#hash ^ gear, 0x0100_0193);
    this.#length++;
    if ((this.#length >= LEAST && (this.#rolling & BOUNDARY) === 0) || this.#length >= LONGEST) this.#cut();
  }

  #cut(): void {
    const hash = ((this.#hash ^ (this.#hash >>> 15)) | 1) >>> 0;
    if (this.#novelty.knows(hash)) this.#novelty.note(hash);
    else if (!this.#new.has(hash)) {
      this.#new.add(hash);
      this.#fresh += this.#span;
    }
    this.#hash = this.#novelty.seed.start;
    this.#length = this.#span = 0;
  }

  #unescape(byte: number): void {
    this.#escape += String.fromCharCode(byte);
    const { length } = this.#escape;
    if (this.#escape[1] !== 'u') {
      this.#escape = '';
      this.#take(UNESCAPED.get(byte) ?? byte);
    } else if (length === 6) {
      const code = Number.parseInt(this.#escape.slice(2), 16);
      this.#escape = '';
      for (const each of Buffer.from(String.fromCharCode(Number.isNaN(code) ? 0xfffd : code))) this.#take(each);
    }
  }
}

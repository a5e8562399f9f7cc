import type { Fragment } from '../scan/fragments.ts';

/** Texts that are remembered, and characters of each. */
const MOST = 512;
const LONGEST = 2048;
/** Bodies that are remembered, a power of two: each has a place of its own. */
const BODIES = 64;
/** Bytes of a body by which its place is told. */
const SAMPLES = 32;

/** A body in which nothing was found, what it is read as, and the parts of it that may go on with others. */
interface KnownBody {
  readonly print: number;
  readonly bytes: Buffer;
  readonly form: string;
  readonly fragments: readonly Fragment[];
}

/**
 * Texts and bodies that were scanned and in which nothing was found: agents say the same paths, header fields and calls again and
 * again. Whole texts are compared, never prints of them.
 */
export class KnownTexts {
  /** With what parts of it may go on with others. */
  #texts = new Map<string, readonly Fragment[]>();
  #bodies: Array<KnownBody | undefined> = [];
  /** What was last sent to each place, by its print. */
  readonly #prints = new Int32Array(BODIES);
  #under: readonly unknown[] = [];

  /** What was found in nothing while these were looked for may be found while others are: they begin anew. */
  under(...sought: readonly unknown[]): this {
    if (sought.some((each, index) => each !== this.#under[index])) {
      this.#texts = new Map();
      this.#bodies = [];
      this.#under = sought;
    }
    return this;
  }

  /** The parts of a text that is known; undefined: it is not. */
  fragmentsOf(text: string): readonly Fragment[] | undefined {
    return this.#texts.get(text);
  }

  add(text: string, fragments: readonly Fragment[]): void {
    if (text.length > LONGEST) return;
    // The older half is forgotten at once; what is still said is soon back.
    if (this.#texts.size >= MOST) this.#texts = new Map([...this.#texts].slice(MOST / 2));
    this.#texts.set(text, fragments);
  }

  /** The parts of a body that is known; undefined: it is not. `form`: what it is read as. */
  fragmentsOfBody(bytes: Buffer, form: string): readonly Fragment[] | undefined {
    if (bytes.length > LONGEST) return undefined;
    const known = this.#bodies[placeOf(printOf(bytes))];
    return known !== undefined && known.form === form && known.bytes.equals(bytes) ? known.fragments : undefined;
  }

  /** Most bodies are sent once: one is kept the second time. `fragmentsIn` takes the copy apart that is. */
  addBody(bytes: Buffer, form: string, fragmentsIn: (bytes: Buffer) => readonly Fragment[]): void {
    if (bytes.length > LONGEST) return;
    const print = printOf(bytes);
    const place = placeOf(print);
    if (this.#prints[place] !== print) {
      this.#prints[place] = print;
      return;
    }
    // Of bodies that only pass for one another, the first is kept: what differs each time is not taken apart each time.
    if (this.#bodies[place]?.print === print) return;
    const copy = Buffer.from(bytes);
    this.#bodies[place] = { print, bytes: copy, form, fragments: fragmentsIn(copy) };
  }
}

/** Told from a part of the bytes: where it goes, and not what it is. */
function printOf(bytes: Buffer): number {
  const { length } = bytes;
  let print = length;
  for (let sample = 0; sample < SAMPLES; sample++)
    print = Math.imul(print ^ (bytes[(sample * length) >> 5] as number), 0x0100_0193);
  return print;
}

function placeOf(print: number): number {
  return (print ^ (print >>> 16)) & (BODIES - 1);
}

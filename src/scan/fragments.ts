import { copyBytes } from './bytes.ts';

/** A part of what a request carries that may be a part of something larger. */
export class Fragment {
  /** Where in a request it stands, hashed: what stands at the same place in the next may go on with it. */
  readonly slot: number;
  /** What it is told apart by from what stood there before. */
  readonly hash: number;
  readonly #bytes: Buffer;
  readonly #from: number;
  readonly #to: number;

  /** `hash`: of its bytes (`hashOf`), where that is known. */
  constructor(slot: number, bytes: Buffer, from: number, to: number, hash = hashOf(bytes, from, to, 0)) {
    this.slot = slot;
    this.hash = hash;
    this.#bytes = bytes;
    this.#from = from;
    this.#to = to;
  }

  /** Something else at the same place. */
  as(bytes: Buffer): Fragment {
    return new Fragment(this.slot, bytes, 0, bytes.length);
  }

  get length(): number {
    return this.#to - this.#from;
  }

  /** Whether it ends as some bytes [from, to) do, or is them. */
  endsAs(bytes: Uint8Array, from: number, to: number): boolean {
    const first = this.#to - (to - from);
    if (first < this.#from) return false;
    for (let at = from; at < to; at++) if (bytes[at] !== this.#bytes[first + at - from]) return false;
    return true;
  }

  equals(other: Fragment): boolean {
    return this.length === other.length && this.endsAs(other.#bytes, other.#from, other.#to);
  }

  /** Copies its bytes [from, to) into others at `put`. */
  copy(from: number, to: number, target: Uint8Array, put: number): void {
    copyBytes(this.#bytes, this.#from + from, this.#from + to, target, put);
  }

  /** What it says (Latin-1). */
  get text(): string {
    return this.#bytes.toString('latin1', this.#from, this.#to);
  }
}

export const NO_FRAGMENTS: readonly Fragment[] = [];
/** Parts of a target, and of a body, that are looked at. */
export const MOST_FRAGMENTS = 64;
/** Shorter ones say too little. */
const SHORTEST = 3;
/** Longer ones are whole. */
const LONGEST = 4096;
/** Larger bodies are scanned as they are, and no part of them is kept. */
export const LONGEST_BODY = 16 * 1024;
/** A text body that is nothing but a token. */
const LONGEST_TEXT = 2 * 1024;
/** Labels of a host that its owner chose, and that say where to find it. */
const DOMAIN = 2;
/** Nothing that has spaces in it: sentences are not cut up secrets. */
const TOKEN = Uint8Array.from({ length: 256 }, (_, byte) => (/[\w+/=.~%:@-]/.test(String.fromCharCode(byte)) ? 1 : 0));

const SLASH = 0x2f;
const QUESTION = 0x3f;
const AND = 0x26;
const EQUALS = 0x3d;
/** Seeds of slots, by kind; 4 is that of the members of a JSON text (kernel/strings.ts). */
const HOST = 1;
const PATH = 2;
const QUERY = 3;
const TEXT = 5;

/** FNV-1a. */
export function hashOf(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let hash = 0x811c_9dc5 ^ seed;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x0100_0193);
  return hash;
}

/** The labels of a host before its domain, joined: whoever owns the domain may read anything in them. */
export function hostLabels(host: string): string {
  const end = host.lastIndexOf('.', host.lastIndexOf('.') - 1);
  // What ends in digits is an address.
  if (end <= 0 || /[0-9\]]$/.test(host)) return '';
  return host.split('.').slice(0, -DOMAIN).join('');
}

/** The labels as a part of something larger. */
export function hostFragment(labels: string): Fragment {
  const bytes = Buffer.from(labels, 'latin1');
  return new Fragment(HOST, bytes, 0, bytes.length);
}

/** How a body is to be taken apart that is no JSON text: as the fields of a form, or as a text. */
export type BodyForm = 'form' | 'other';

/** The parts of a path and a query of which a secret could be made over several requests. */
export function targetFragments(target: Buffer): readonly Fragment[] {
  const fragments: Fragment[] = [];
  const question = target.indexOf(QUESTION);
  const end = question === -1 ? target.length : question;
  let number = 0;
  for (let from = 1; from < end; number++) {
    const slash = target.indexOf(SLASH, from);
    const to = slash === -1 || slash > end ? end : slash;
    add(fragments, PATH + 16 * number, target, from, to);
    from = to + 1;
  }
  if (question !== -1) addPairs(fragments, target, question + 1);
  return fragments;
}

/** The same of a body. */
export function bodyFragments(body: Buffer, form: BodyForm): readonly Fragment[] {
  if (body.length === 0 || body.length > LONGEST_BODY) return NO_FRAGMENTS;
  const fragments: Fragment[] = [];
  addBody(fragments, body, form);
  return fragments;
}

function add(fragments: Fragment[], slot: number, bytes: Buffer, from: number, to: number): void {
  if (fragments.length < MOST_FRAGMENTS && isPart(bytes, from, to)) fragments.push(new Fragment(slot, bytes, from, to));
}

/** Whether some bytes [from, to) may be a part of something larger. */
export function isPart(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < SHORTEST || to - from > LONGEST) return false;
  for (let at = from; at < to; at++) if (TOKEN[bytes[at] as number] === 0) return false;
  return true;
}

function addPairs(fragments: Fragment[], bytes: Buffer, begin: number): void {
  for (let from = begin; from < bytes.length;) {
    const and = bytes.indexOf(AND, from);
    const to = and === -1 ? bytes.length : and;
    const equals = bytes.indexOf(EQUALS, from);
    const name = equals === -1 || equals > to ? from : equals;
    const value = name === from ? from : name + 1;
    add(fragments, hashOf(bytes, from, name, QUERY), bytes, value, to);
    from = to + 1;
  }
}

function addBody(fragments: Fragment[], body: Buffer, form: BodyForm): void {
  if (form === 'form') addPairs(fragments, body, 0);
  else if (body.length <= LONGEST_TEXT) {
    let [from, to] = [0, body.length];
    while (from < to && (body[from] as number) <= 0x20) from++;
    while (to > from && (body[to - 1] as number) <= 0x20) to--;
    add(fragments, TEXT, body, from, to);
  }
}

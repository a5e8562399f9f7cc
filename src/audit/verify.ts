import type { CheckpointEvent, SegmentEvent } from '../model/audit-event.ts';
import { GENESIS, sealOf } from './chain.ts';
import { readCheckpoint, type Checkpoint } from './checkpoint.ts';
import { Tree, leafHash, type TreeHash } from './merkle.ts';
import { SegmentReader } from './segment-reader.ts';
import { readNote, readVerifierKey, type VerifierKey } from './signed-note.ts';

export interface Verified {
  readonly ok: boolean;
  /** Events that are sealed. */
  readonly events: number;
  /** What the next segment must continue. */
  readonly last: string;
  /** First thing wrong, with the lines it may be in. */
  readonly problem: string | null;
}

/** The same with what is signed. */
export interface VerifiedSegment extends Verified {
  /** Its first event; null where it has none that is sealed. */
  readonly header: SegmentEvent | null;
  /** Checkpoints whose signature, root and seal are right, in order. */
  readonly checkpoints: readonly Checkpoint[];
  /** The gate has said that nothing follows. */
  readonly closed: boolean;
  /** Bytes behind the last seal. */
  readonly torn: number;
}

/**
 * What is held to a checkpoint: the chain, by the seal that was signed, which says all there is to say of the log; or the tree as well,
 * by which single events are proved, and which takes three times as long.
 */
export type Depth = 'chain' | 'trees';

/** Verifies the text of one segment against the hash it must continue. Bytes behind the last seal are reported, not forgiven. */
export function verifySegment(text: string, previous: string = GENESIS): Verified {
  const verifier = new SegmentVerifier(previous, null);
  verifier.push(Buffer.from(text));
  const { ok, events, last, problem } = verifier.end();
  return { ok, events, last, problem };
}

const HEADER = '{"';
const CHECKPOINT = Buffer.from('{"kind":"checkpoint"');
/** The third byte of those, and of few others: asking native code of each event takes longer. */
const KIND = CHECKPOINT[2] as number;

/** Verifies a segment piece by piece: seals, and checkpoints by the keys that are trusted. */
export class SegmentVerifier {
  readonly #reader: SegmentReader;
  /** Null: signatures are not looked at. */
  readonly #keys: readonly VerifierKey[] | null;
  readonly #depth: Depth;
  readonly #tree = new Tree();
  /** Leaves that no checkpoint has covered yet. */
  #leaves: TreeHash[] = [];
  /** Seals since the last checkpoint, by the number of events before them. */
  #seals = new Map<number, string>();
  #header: SegmentEvent | null = null;
  /** Keys that may sign here: those that are trusted, and what one of them has endorsed. */
  #signers: readonly VerifierKey[] = [];
  readonly #checkpoints: Checkpoint[] = [];
  #events = 0;
  #closed = false;

  /**
   * `previous`: hash that it must continue. With keys, a segment that says what it continues is held to that: its checkpoints sign it,
   * and whoever has the one before compares.
   */
  constructor(previous: string, keys: readonly VerifierKey[] | null, depth: Depth = 'trees') {
    this.#keys = keys;
    this.#depth = depth;
    this.#reader = new SegmentReader(previous, {
      event: (bytes, from, to) => this.#event(bytes, from, to),
      sealed: (hash) => void this.#seals.set(this.#events, hash),
    });
  }

  push(piece: Uint8Array): void {
    this.#reader.push(piece);
  }

  /** Keys that signed here, and were trusted or endorsed. */
  get signers(): readonly VerifierKey[] {
    return this.#signers;
  }

  end(): VerifiedSegment {
    const { events, last, problem, torn, unsealed } = this.#reader;
    const left =
      problem ?? (torn.length === 0 ? null : `line ${unsealed.line}: ${torn.length} bytes behind the last seal`);
    return {
      ok: left === null,
      events,
      last: problem === null ? tailHash(last, torn) : last,
      problem: left,
      header: this.#header,
      checkpoints: this.#checkpoints,
      closed: this.#closed && torn.length === 0,
      torn: torn.length,
    };
  }

  #event(bytes: Buffer, from: number, to: number): void {
    if (this.#events++ === 0) this.#open(bytes.toString('utf8', from, to));
    if (this.#keys === null) return;
    this.#closed = false;
    if (this.#depth === 'trees') this.#leaves.push(leafHash(bytes, from, to));
    if (
      bytes[from + 2] === KIND &&
      bytes.compare(CHECKPOINT, 0, CHECKPOINT.length, from, from + CHECKPOINT.length) === 0
    )
      this.#check(bytes.toString('utf8', from, to));
  }

  #open(line: string): void {
    const header = parsed(line) as SegmentEvent | null;
    if (header?.kind === 'segment') this.#header = header;
    if (this.#keys === null) return;
    if (this.#header === null) return this.#reader.fail('a segment begins with an event of kind "segment"');
    if (typeof header?.continues === 'string') this.#reader.last = header.continues;
    this.#signers = signersOf(this.#header, this.#keys);
  }

  #check(line: string): void {
    const event = parsed(line) as CheckpointEvent | null;
    const checkpoint = typeof event?.note === 'string' ? readCheckpoint(event.note, this.#signers) : null;
    const wrong = checkpoint === null ? this.#unsigned() : this.#wrong(checkpoint);
    if (wrong !== null || checkpoint === null) return this.#reader.fail(wrong as string);
    this.#checkpoints.push(checkpoint);
    this.#closed = event?.reason === 'rotation' || event?.reason === 'shutdown';
  }

  #unsigned(): string {
    const key = this.#header?.key;
    const known = this.#signers.length > 0;
    return known || key === undefined
      ? 'the checkpoint is not signed by the key of its segment'
      : `the checkpoint is signed by a key that is not trusted (${key})`;
  }

  /** What is wrong with what a signed checkpoint says; null: nothing. */
  #wrong({ origin, size, root, seal }: Checkpoint): string | null {
    if (origin !== this.#header?.origin) return `the checkpoint is of another segment (${origin})`;
    const sealed = this.#seals.get(size);
    if (sealed === undefined) return `the checkpoint says ${size} events, and no seal stands there`;
    for (const leaf of this.#leaves.splice(0, size - this.#tree.size)) this.#tree.append(leaf);
    if (sealed !== seal) return 'the seal that was signed is not the one that stands there';
    if (this.#depth === 'trees' && this.#tree.root() !== root) return 'the events are not those that were signed';
    for (const each of this.#seals.keys()) if (each < size) this.#seals.delete(each);
    return null;
  }
}

/** Keys that may sign a segment: its own, where that is trusted or a trusted key has endorsed it. */
export function signersOf(
  { key: text, endorsement }: { readonly key?: string; readonly endorsement?: string | undefined },
  trusted: readonly VerifierKey[],
): readonly VerifierKey[] {
  const key = text === undefined ? null : readVerifierKey(text);
  if (key === null) return [];
  if (trusted.some((each) => each.text === key.text)) return [key];
  const endorsed = endorsement === undefined ? null : readNote(endorsement, trusted);
  return endorsed === endorsementText(key.text) ? [key] : [];
}

/** What a key says of the one that follows it. */
export function endorsementText(key: string): string {
  return `sallyport audit key\n${key}\n`;
}

function parsed(line: string): unknown {
  if (!line.startsWith(HEADER)) return null;
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** What continues a segment that ends with `torn` behind its last seal: a crash leaves evidence too, and it is kept. */
export function tailHash(seal: string, torn: Uint8Array): string {
  return torn.length === 0 ? seal : sealOf(seal, torn);
}

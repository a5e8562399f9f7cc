import type { CheckpointEvent, SegmentEvent } from '../model/audit-event.ts';
import { readCheckpoint, type Checkpoint } from './checkpoint.ts';
import { inclusionProof, leafHash, rootFromProof, type TreeHash } from './merkle.ts';
import { SegmentReader } from './segment-reader.ts';
import { readVerifierKey, type VerifierKey } from './signed-note.ts';
import { signersOf } from './verify.ts';

/** That an event stands in a segment of the log, shown without the rest of it. */
export interface EventProof {
  /** A signed checkpoint over it. */
  readonly checkpoint: string;
  /** A key that was trusted before has signed `key`. */
  readonly endorsement?: string;
  /** The event, as it is written. */
  readonly event: string;
  /** Where it stands, counted from 0. */
  readonly index: number;
  /** The key that signs the segment. */
  readonly key: string;
  /** Hashes in Base64 that lead from the event to the root, nearest first (RFC 6962 §2.1.1). */
  readonly proof: readonly string[];
  readonly segment: string;
}

/** Proofs of the events of a segment that a test picks. Events that no checkpoint covers yet have none, and are counted. */
export function proveEvents(
  name: string,
  pieces: Iterable<Uint8Array>,
  picks: (event: string) => boolean,
): { readonly proofs: EventProof[]; readonly unsigned: number } {
  const leaves: TreeHash[] = [];
  const picked: { index: number; event: string }[] = [];
  const notes: string[] = [];
  let header: SegmentEvent | null = null;
  const reader = new SegmentReader('', {
    event: (bytes, from, to) => {
      const event = bytes.toString('utf8', from, to);
      if (header === null) {
        header = JSON.parse(event) as SegmentEvent;
        reader.last = header.continues;
      }
      if (event.startsWith('{"kind":"checkpoint"')) notes.push((JSON.parse(event) as CheckpointEvent).note);
      if (picks(event)) picked.push({ index: leaves.length, event });
      leaves.push(leafHash(bytes, from, to));
    },
    sealed: () => undefined,
  });
  for (const piece of pieces) reader.push(piece);
  const proofs = picked.flatMap(({ index, event }) =>
    prove(name, header as SegmentEvent | null, { leaves, index, event, notes }),
  );
  return { proofs, unsigned: picked.length - proofs.length };
}

interface Place {
  readonly leaves: readonly TreeHash[];
  readonly index: number;
  readonly event: string;
  readonly notes: readonly string[];
}

function prove(segment: string, header: SegmentEvent | null, { leaves, index, event, notes }: Place): EventProof[] {
  const checkpoint = notes.find((note) => sizeOf(note) > index);
  if (checkpoint === undefined || header === null) return [];
  const { key, endorsement } = header;
  const proof = inclusionProof(leaves.slice(0, sizeOf(checkpoint)), index).map((each) =>
    Buffer.from(each, 'latin1').toString('base64'),
  );
  return [{ checkpoint, ...(endorsement === undefined ? {} : { endorsement }), event, index, key, proof, segment }];
}

function sizeOf(note: string): number {
  return Number(note.split('\n')[1]);
}

/** Checks a proof by keys that are trusted: the checkpoint the event stands under, or what is wrong. */
export function checkProof(
  { checkpoint: note, endorsement, event, index, key, proof }: EventProof,
  trusted: readonly VerifierKey[],
): Checkpoint | string {
  if (readVerifierKey(key) === null) return 'its key is none';
  const signers = signersOf({ key, endorsement }, trusted);
  if (signers.length === 0) return `its key is not trusted: ${key}`;
  const checkpoint = readCheckpoint(note, signers);
  if (checkpoint === null) return 'its checkpoint is not signed by its key';
  const bytes = Buffer.from(event);
  const hashes = proof.map((each) => Buffer.from(each, 'base64').toString('latin1'));
  const root = rootFromProof(leafHash(bytes, 0, bytes.length), index, checkpoint.size, hashes);
  return root === checkpoint.root ? checkpoint : 'the event is not the one that was signed';
}

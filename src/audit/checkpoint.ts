import { readNote, signNote, type Signer, type VerifierKey } from './signed-note.ts';
import type { TreeHash } from './merkle.ts';

/** What a checkpoint says of a segment: its first events, as the head of a Merkle tree and as the seal of the chain. */
export interface Checkpoint {
  /** Which tree: `GATE/SEGMENT`. */
  readonly origin: string;
  /** Events the tree has. */
  readonly size: number;
  readonly root: TreeHash;
  /** Seal behind the last of them, in hex. */
  readonly seal: string;
  /** ISO 8601. */
  readonly time: string;
}

/** Signs a checkpoint (C2SP tlog-checkpoint; seal and time are its extension lines). */
export function signCheckpoint({ origin, size, root, seal, time }: Checkpoint, signer: Signer): string {
  const encoded = Buffer.from(root, 'latin1').toString('base64');
  return signNote(`${origin}\n${size}\n${encoded}\nseal ${seal}\ntime ${time}\n`, signer);
}

const TEXT =
  /^(?<origin>[^\n]+)\n(?<size>0|[1-9][0-9]{0,14})\n(?<root>[A-Za-z0-9+/]{43}=)\nseal (?<seal>[0-9a-f]{64})\ntime (?<time>[^\n]+)\n$/;

/** Reads a checkpoint that one of the keys has signed; null where none has, or it is none. */
export function readCheckpoint(note: string, keys: Iterable<VerifierKey>): Checkpoint | null {
  const text = readNote(note, keys);
  return text === null ? null : parseCheckpoint(text);
}

/** The checkpoint in the text of a note; null where it is none. */
function parseCheckpoint(text: string): Checkpoint | null {
  const { origin, size, root, seal, time } = TEXT.exec(text)?.groups ?? {};
  if (origin === undefined || size === undefined || root === undefined || seal === undefined || time === undefined)
    return null;
  return { origin, size: Number(size), root: Buffer.from(root, 'base64').toString('latin1'), seal, time };
}

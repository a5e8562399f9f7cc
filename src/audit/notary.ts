import { signCheckpoint } from './checkpoint.ts';
import { Tree, leafHash } from './merkle.ts';
import { SegmentReader } from './segment-reader.ts';
import type { Signer } from './signed-note.ts';

/** What is on disk is not what was written there. */
export class Tampered extends Error {
  override name = 'Tampered';
}

/** Reads a segment after the gate, from the disk, and signs what it has read. What does not fit the seals it does not sign. */
export class Notary {
  readonly #origin: string;
  readonly #signer: Signer;
  readonly #tree = new Tree();
  readonly #reader: SegmentReader;

  /** `previous`: hash that the first seal of the segment continues. */
  constructor(origin: string, previous: string, signer: Signer) {
    this.#origin = origin;
    this.#signer = signer;
    this.#reader = new SegmentReader(previous, {
      event: (bytes, from, to) => this.#tree.append(leafHash(bytes, from, to)),
      sealed: () => undefined,
    });
  }

  /** Reads on. */
  push(piece: Uint8Array): void {
    this.#reader.push(piece);
  }

  /** A signed checkpoint over all that was read, which must end with this seal. Throws Tampered. */
  checkpoint(seal: string, time: string): string {
    const { problem, last, torn } = this.#reader;
    if (problem !== null) throw new Tampered(problem);
    if (last !== seal || torn.length > 0) throw new Tampered('what is on disk does not end with the last seal written');
    return signCheckpoint(
      { origin: this.#origin, size: this.#tree.size, root: this.#tree.root(), seal, time },
      this.#signer,
    );
  }
}

import { closeSync, openSync, readSync } from 'node:fs';
import { Notary } from '../notary.ts';
import { verifierKeyText, type Signer } from '../signed-note.ts';
import type { KeyObject } from 'node:crypto';

/** A segment that is to be signed as it grows. */
export interface SegmentToSign {
  readonly file: string;
  /** Name of its tree. */
  readonly origin: string;
  /** Hash that its first seal continues. */
  readonly previous: string;
  readonly key: { readonly name: string; readonly secret: KeyObject };
}

const CHUNK = 1024 * 1024;

/** Reads a segment from the disk, behind the gate that writes it, and signs what it has read. */
export class SegmentNotary {
  readonly #notary: Notary;
  /** Where the segment stands now. */
  file: string;
  #descriptor: number;
  #read = 0;

  constructor({ file, origin, previous, key }: SegmentToSign) {
    const signer: Signer = { ...key, key: verifierKeyText(key.name, key.secret) };
    this.#notary = new Notary(origin, previous, signer);
    this.file = file;
    this.#descriptor = openSync(file, 'r');
  }

  /** The segment stands in another file now, the same bytes of it. */
  moved(file: string): void {
    const descriptor = openSync(file, 'r');
    closeSync(this.#descriptor);
    this.file = file;
    this.#descriptor = descriptor;
  }

  /** A signed checkpoint over the first `to` bytes, which end with this seal. Throws Tampered, and what the file system throws. */
  checkpoint(to: number, seal: string, time: number): string {
    while (this.#read < to) {
      // The notary keeps what it is given.
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK, to - this.#read));
      const size = readSync(this.#descriptor, chunk, 0, chunk.length, this.#read);
      if (size === 0) break;
      this.#notary.push(chunk.subarray(0, size));
      this.#read += size;
    }
    return this.#notary.checkpoint(seal, new Date(time).toISOString());
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

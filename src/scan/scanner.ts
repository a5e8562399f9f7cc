import type { Finding } from '../model/finding.ts';
import { Context } from './context.ts';
import type { Engine } from './engine.ts';
import { WHOLE } from './kernel.ts';
import type { Reader } from './reader.ts';
import { readersOf } from './readers/list.ts';
import { View } from './view.ts';

const NOTHING: readonly Finding[] = [];

/**
 * Scans one stream of bytes after another, each piece by piece: findings are the same however a stream is split. Every method
 * throws BudgetExceeded once a stream costs too much; the scanner is of no use afterwards.
 */
export class Scanner {
  readonly #context: Context;
  readonly #root: View;

  /** `key`: fingerprints of what is found are made with it. `readers`: what looks for what is encoded. */
  constructor(engine: Engine, key: Buffer, readers: (view: View) => readonly Reader[] = readersOf) {
    this.#context = new Context(engine, key);
    this.#root = new View(this.#context, null, [], readers);
  }

  /** Reads the next bytes of the stream. */
  push(bytes: Uint8Array): readonly Finding[] {
    this.#context.budget.earn(bytes.length);
    this.#root.push(bytes, 0, bytes.length);
    return this.#context.take();
  }

  /** Scans a text (Latin-1) as one whole stream. */
  whole(text: string): readonly Finding[] {
    return this.wholeBytes(Buffer.from(text, 'latin1'));
  }

  /** Scans bytes as one whole stream. */
  wholeBytes(bytes: Uint8Array): readonly Finding[] {
    if (bytes.length <= WHOLE && this.#root.clears(bytes)) return NOTHING;
    this.#context.budget.earn(bytes.length);
    this.#root.append(bytes, 0, bytes.length);
    return this.end();
  }

  /** Views it has grown to: one for each way of reading that was ever needed. */
  get size(): number {
    return this.#context.views.length;
  }

  /** Bytes read since the scanner was made, by the decoders they were read through. */
  get worked(): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { via, worked } of this.#context.views) {
      const key = via.length === 0 ? 'as it came' : via.join(' > ');
      sums.set(key, (sums.get(key) ?? 0) + worked);
    }
    return sums;
  }

  /**
   * Place in the stream before which nothing may still become a finding. `soft`: nor may it by what is not even the beginning
   * of a match yet, but a part of a literal, or a word that may go on.
   */
  safe(soft: boolean): number {
    return Math.min(this.#root.end, this.#root.open(soft));
  }

  /** A match is under way. */
  get open(): boolean {
    return this.#root.open(false) < this.#root.end;
  }

  /** The stream is over; the next begins. */
  end(): readonly Finding[] {
    this.#root.finish();
    const findings = this.#context.take();
    this.#context.reset();
    return findings;
  }
}

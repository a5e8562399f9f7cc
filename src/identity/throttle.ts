import { Denial } from '../model/denial.ts';

const WINDOW = 60_000;
/** Wrong tokens a source may present in a minute: a person's slips, not a search. */
const FAILURES = 20;
const SOURCES = 10_000;
const GOOD_PER_SOURCE = 100;

interface SourceRecord {
  failures: number;
  since: number;
  /** Digests of credentials that were right: a flood of wrong ones does not lock out agents behind the same address. */
  readonly good: Set<string>;
}

/** Limits guessing: a source that presented too many wrong tokens is answered without looking at new ones. */
export class FailureThrottle {
  readonly #clock: () => number;
  readonly #sources = new Map<string, SourceRecord>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Throws `rate-exceeded` when the source has failed too often and this credential was not right before. */
  check(source: string, digest: string): void {
    const record = this.#sources.get(source);
    if (record === undefined || record.failures < FAILURES || record.good.has(digest)) return;
    const wait = record.since + WINDOW - this.#clock();
    if (wait <= 0) {
      record.failures = 0;
      return;
    }
    const seconds = Math.ceil(wait / 1000);
    throw new Denial('rate-exceeded', 'too many wrong tokens from this address', {
      headers: ['Retry-After', String(seconds)],
    });
  }

  failed(source: string): void {
    const record = this.#recordFor(source);
    const now = this.#clock();
    if (now - record.since >= WINDOW) {
      record.failures = 0;
      record.since = now;
    }
    record.failures++;
  }

  succeeded(source: string, digest: string): void {
    const { good } = this.#recordFor(source);
    if (good.has(digest)) return;
    if (good.size >= GOOD_PER_SOURCE) good.delete(good.values().next().value as string);
    good.add(digest);
  }

  #recordFor(source: string): SourceRecord {
    let record = this.#sources.get(source);
    if (record === undefined) {
      if (this.#sources.size >= SOURCES) this.#sources.delete(this.#sources.keys().next().value as string);
      record = { failures: 0, since: this.#clock(), good: new Set() };
      this.#sources.set(source, record);
    }
    return record;
  }
}

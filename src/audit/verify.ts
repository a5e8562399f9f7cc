import { GENESIS, readSeal, sealOf } from './chain.ts';

export interface Verified {
  readonly ok: boolean;
  /** Events that are sealed. */
  readonly events: number;
  /** What the next segment must continue. */
  readonly last: string;
  /** First thing wrong, with the lines it may be in. */
  readonly problem: string | null;
}

/** Verifies the text of one segment against the hash it must continue. Lines behind the last seal are reported, not forgiven. */
export function verifySegment(text: string, previous: string = GENESIS): Verified {
  let last = previous;
  let events = 0;
  let line = 0;
  let from = 0;
  let open = 0;
  const lines = (first: number): string => (open === 0 ? `line ${first}` : `lines ${first} to ${first + open}`);
  const wrong = (problem: string): Verified => ({ ok: false, events, last, problem });
  for (let end = text.indexOf('\n'), at = 0; end !== -1; at = end + 1, end = text.indexOf('\n', at)) {
    const seal = readSeal(text.slice(at, end));
    line++;
    if (seal === null) {
      open++;
      continue;
    }
    const first = line - open;
    if (seal.events !== open) return wrong(`${lines(first)}: ${open} events under a seal for ${seal.events}`);
    const hash = sealOf(last, Buffer.from(text.slice(from, at)));
    if (hash !== seal.hash) return wrong(`${lines(first)}: the seal does not fit the events and the seal before`);
    last = hash;
    events += open;
    open = 0;
    from = end + 1;
  }
  if (from === text.length) return { ok: true, events, last, problem: null };
  const problem = `line ${line - open + 1}: ${text.length - from} bytes behind the last seal`;
  return { ok: false, events, last: tailHash(last, Buffer.from(text.slice(from))), problem };
}

/** What continues a segment that ends with `torn` behind its last seal: a crash leaves evidence too, and it is kept. */
export function tailHash(seal: string, torn: Uint8Array): string {
  return torn.length === 0 ? seal : sealOf(seal, torn);
}

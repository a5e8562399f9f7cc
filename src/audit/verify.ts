import { createHash } from 'node:crypto';
import { GENESIS } from './chain.ts';

export interface Verified {
  readonly ok: boolean;
  readonly events: number;
  /** Hash of the last good line: what the next segment must continue. */
  readonly last: string;
  /** First thing wrong, with its line. */
  readonly problem: string | null;
}

const LINE = /^\{"event":(\{.*\}),"hash":"([0-9a-f]{64})"\}$/;

/** Verifies the text of one segment against the hash it must continue. A torn last line is reported, not forgiven. */
export function verifySegment(text: string, previous: string = GENESIS): Verified {
  let last = previous;
  let events = 0;
  const wrong = (problem: string): Verified => ({ ok: false, events, last, problem: `line ${events + 1}: ${problem}` });
  for (const line of text.split('\n').slice(0, -1)) {
    const match = LINE.exec(line);
    if (match === null) return wrong('not an audit line');
    const digest = createHash('sha256')
      .update(`${last}\n${match[1] ?? ''}`)
      .digest('hex');
    if (digest !== match[2]) return wrong('the hash does not fit the event and the line before');
    last = digest;
    events++;
  }
  if (!text.endsWith('\n') && text !== '') return wrong('the last line is torn');
  return { ok: true, events, last, problem: null };
}

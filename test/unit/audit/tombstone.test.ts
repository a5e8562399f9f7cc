import { expect, it } from 'vitest';
import { GENESIS } from '../../../src/audit/chain.ts';
import { signNote } from '../../../src/audit/signed-note.ts';
import { readTombstone, signTombstone, type Tombstone } from '../../../src/audit/tombstone.ts';
import { makeKey } from './support.ts';

const { signer, verifier } = makeKey();
const tombstone: Tombstone = {
  lane: 2,
  previous: null,
  continues: GENESIS,
  segments: [
    { name: 'a.jsonl', events: 12, last: 'ab'.repeat(32) },
    { name: 'b.jsonl', events: 3, last: 'cd'.repeat(32) },
  ],
  reason: 'older than 365d',
  time: '2026-01-01T00:00:00.000Z',
};

it('a tombstone reads as it was signed', () => {
  expect(readTombstone(signTombstone(tombstone, signer), [verifier])).toEqual(tombstone);
  const later = { ...tombstone, previous: 'z.jsonl', reason: 'two\nlines' };
  expect(readTombstone(signTombstone(later, signer), [verifier])).toEqual({ ...later, reason: 'two lines' });
});

it('that somebody else has signed, was changed, or is none gives nothing', () => {
  const note = signTombstone(tombstone, signer);
  expect(readTombstone(note, [makeKey().verifier])).toBeNull();
  expect(readTombstone(note.replace('a.jsonl', 'x.jsonl'), [verifier])).toBeNull();
  expect(readTombstone(signNote('sallyport audit tombstone\nlane 1\n', signer), [verifier])).toBeNull();
});

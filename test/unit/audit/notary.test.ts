import { expect, it } from 'vitest';
import { GENESIS, sealLine, sealOf } from '../../../src/audit/chain.ts';
import { readCheckpoint } from '../../../src/audit/checkpoint.ts';
import { Notary, Tampered } from '../../../src/audit/notary.ts';
import { makeKey } from './support.ts';

const { signer, verifier } = makeKey();
const lines = '{"n":1}\n{"n":2}\n';
const seal = sealOf(GENESIS, Buffer.from(lines));
const text = lines + sealLine(2, seal);

it('signs what it has read, by its events and by its seal', () => {
  const notary = new Notary('gate/1', GENESIS, signer);
  notary.push(Buffer.from(text.slice(0, 20)));
  notary.push(Buffer.from(text.slice(20)));
  const note = notary.checkpoint(seal, '2026-01-01T00:00:00Z');
  expect(readCheckpoint(note, [verifier])).toMatchObject({ origin: 'gate/1', size: 2, seal });
});

it.each([
  ['changed', text.replace('1', '3')],
  ['cut off', text.slice(0, -9)],
  ['followed by what nobody wrote', `${text}{`],
  ['missing', ''],
])('does not sign what is %s', (_how, bytes) => {
  const notary = new Notary('gate/1', GENESIS, signer);
  notary.push(Buffer.from(bytes));
  expect(() => notary.checkpoint(seal, '')).toThrow(Tampered);
});

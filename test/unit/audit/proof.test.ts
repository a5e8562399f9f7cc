import { expect, it } from 'vitest';
import { checkProof, proveEvents, type EventProof } from '../../../src/audit/proof.ts';
import { signNote } from '../../../src/audit/signed-note.ts';
import { endorsementText } from '../../../src/audit/verify.ts';
import { makeKey, makeSegment } from './support.ts';

const { signer, verifier } = makeKey();
const event = (exchange: number): string => `{"exchange":"x-${exchange}","kind":"outcome"}`;
const all = Array.from({ length: 21 }, (_, index) => event(index));
const made = makeSegment({
  name: 'a',
  signer,
  writes: [all.slice(0, 5), 'checkpoint', all.slice(5, 20), 'checkpoint', all.slice(20)],
});
const prove = (exchange: number) =>
  proveEvents('a', [Buffer.from(made.text)], (each) => each.includes(`"x-${exchange}"`));

it('proves each event by the first checkpoint over it', () => {
  for (let exchange = 0; exchange < 20; exchange++) {
    const { proofs } = prove(exchange);
    expect(proofs).toHaveLength(1);
    expect(checkProof(proofs[0] as EventProof, [verifier])).toMatchObject({ size: exchange < 5 ? 6 : 22 });
  }
});

it('says that an event is not signed yet', () => {
  expect(prove(20)).toEqual({ proofs: [], unsigned: 1 });
});

const [proof] = prove(7).proofs as [EventProof];
it.each<[string, Partial<EventProof>, RegExp]>([
  ['another event', { event: event(8) }, /not the one that was signed/],
  ['another place', { index: 3 }, /not the one that was signed/],
  ['another way', { proof: proof.proof.slice(1) }, /not the one that was signed/],
  ['another checkpoint', { checkpoint: proof.checkpoint.replace('22', '23') }, /not signed by its key/],
  ['no key', { key: 'none' }, /its key is none/],
  ['the key of somebody else', { key: makeKey().verifier.text }, /not trusted/],
])('does not hold with %s', (_what, change, problem) => {
  expect(checkProof({ ...proof, ...change }, [verifier])).toMatch(problem);
});

it('holds for whoever trusts the key that signed its key', () => {
  const next = makeKey();
  const endorsement = signNote(endorsementText(next.verifier.text), signer);
  const { text } = makeSegment({ name: 'b', signer: next.signer, endorsement, writes: [[event(1)], 'checkpoint'] });
  const [each] = proveEvents('b', [Buffer.from(text)], (line) => line === event(1)).proofs as [EventProof];
  expect(checkProof(each, [verifier])).toMatchObject({ size: 2 });
  expect(checkProof(each, [makeKey().verifier])).toMatch(/not trusted/);
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GENESIS, sealLine, sealOf } from '../../../src/audit/chain.ts';
import { SegmentReader } from '../../../src/audit/segment-reader.ts';

function write(previous: string, ...events: string[]): { text: string; seal: string } {
  const lines = events.map((event) => `${event}\n`).join('');
  const seal = sealOf(previous, Buffer.from(lines));
  return { text: lines + sealLine(events.length, seal), seal };
}

const one = write(GENESIS, '{"n":1}', '{"n":"é"}');
const two = write(one.seal, '{"events":"not a seal"}');
const text = Buffer.from(`${one.text}${two.text}{"n":`);

/** What is told of a text that comes in pieces. */
function told(pieces: readonly Uint8Array[]): unknown[] {
  const all: unknown[] = [];
  const reader = new SegmentReader(GENESIS, {
    event: (bytes, from, to) => all.push(bytes.toString('utf8', from, to)),
    sealed: (hash) => all.push({ hash }),
  });
  for (const piece of pieces) reader.push(piece);
  return [...all, { last: reader.last, events: reader.events, torn: reader.torn.toString(), problem: reader.problem }];
}

const WHOLE = [
  '{"n":1}',
  '{"n":"é"}',
  { hash: one.seal },
  '{"events":"not a seal"}',
  { hash: two.seal },
  { last: two.seal, events: 3, torn: '{"n":', problem: null },
];

it('tells events and seals, and keeps what is torn', () => {
  expect(told([text])).toEqual(WHOLE);
});

it('tells the same however the bytes come', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), text.length];
      expect(told(at.slice(1).map((end, index) => text.subarray(at[index], end)))).toEqual(WHOLE);
    }),
  );
});

it('reads nothing behind what is wrong', () => {
  const wrong = Buffer.from(one.text.replace('1', '2') + two.text);
  expect(told([wrong])).toEqual([
    '{"n":2}',
    '{"n":"é"}',
    expect.objectContaining({
      events: 0,
      problem: 'lines 1 to 3: the seal does not fit the events and the seal before',
    }),
  ]);
});

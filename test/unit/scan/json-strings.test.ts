import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf } from '../../../src/scan/fragments.ts';
import { FROM, HASH, PER_VALUE, SLOT, TO, valuesIn } from '../../../src/scan/json-strings.ts';

const MEMBER = 4;
const MOST = 16 * 1024;

/** What is found: each string and the name before it, told by hashes. */
function found(body: Buffer): string[] {
  const { places, count } = valuesIn(body);
  expect(places).toHaveLength(count * PER_VALUE);
  return Array.from({ length: count }, (_, index) => {
    const at = (which: number): number => places[index * PER_VALUE + which] as number;
    return `${at(FROM)}-${at(TO)} ${at(SLOT)} ${at(HASH)}`;
  });
}

/** The same, byte by byte. */
function naive(body: Buffer): string[] {
  const all: string[] = [];
  let name: readonly [number, number] = [0, 0];
  let size = 0;
  for (let at = 0; at < body.length && size < MOST; at++) {
    if (body[at] !== 0x22) continue;
    const from = at + 1;
    let isSpaced = false;
    for (at = from; at < body.length && body[at] !== 0x22; at++) {
      if (body[at] === 0x5c) at++;
      else if ((body[at] as number) <= 0x20) isSpaced = true;
    }
    const to = Math.min(at, body.length);
    let behind = to + 1;
    while (behind < body.length && (body[behind] as number) <= 0x20) behind++;
    if (body[behind] === 0x3a) name = [from, to];
    else if (!isSpaced && to > from && to - from <= 4096) {
      all.push(`${from}-${to} ${hashOf(body, name[0], name[1], MEMBER)} ${hashOf(body, from, to, 0)}`);
      if (to - from <= 96) size += to - from;
    }
  }
  return all;
}

describe('valuesIn()', () => {
  it('finds the strings without a space in them, and the names before them', () => {
    const body = Buffer.from('{"note": "abc", "list": ["x", "two words", ""], "e": "a\\"b", "n": 5, "open": "yz');
    const { places, count } = valuesIn(body);
    const texts = Array.from({ length: count }, (_, index) =>
      body.toString('latin1', places[index * PER_VALUE + FROM], places[index * PER_VALUE + TO]),
    );
    expect(texts).toEqual(['abc', 'x', 'a\\"b', 'yz']);
    const slots = Array.from({ length: count }, (_, index) => places[index * PER_VALUE + SLOT]);
    expect(slots).toEqual(
      ['note', 'list', 'e', 'open'].map((name) => hashOf(Buffer.from(name), 0, name.length, MEMBER)),
    );
  });

  it('finds what a reader of one byte after another finds, in whatever calls itself JSON', () => {
    const piece = fc.oneof(
      fc.constantFrom('"', '\\', '\\"', ':', ' ', '\n', ',', '{', '": "', '\\ ', '"a"', '"b":', '"'.repeat(20)),
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.nat(40).map((length) => 'x'.repeat(length)),
      fc.json(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const body = Buffer.from(pieces.join(''));
        expect(found(body)).toEqual(naive(body));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes bodies of any size, and looks at no more short strings than there is room for', () => {
    const many = Buffer.from(JSON.stringify(Array.from({ length: 60_000 }, (_, index) => String(index % 10))));
    expect(found(many)).toHaveLength(MOST);
    const long = Buffer.from(JSON.stringify(Array.from({ length: 3000 }, (_, index) => `${index}`.padStart(97, 'x'))));
    expect(found(long)).toEqual(naive(long));
    const longest = Buffer.from(JSON.stringify(['x'.repeat(4096), 'x'.repeat(4097), 'end']));
    expect(found(longest)).toEqual(naive(longest));
    expect(found(longest)).toHaveLength(2);
  });
});

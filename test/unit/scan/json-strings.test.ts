import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_BODY, hashOf } from '../../../src/scan/fragments.ts';
import { jsonParts } from '../../../src/scan/json-strings.ts';

const MEMBER = 4;
const MOST = 16 * 1024;
const MOST_FRAGMENTS = 64;

/** What is found: each string as a part, its place and itself told by hashes; and what the short ones make. */
function found(body: Buffer): { fragments: string[]; joined: string | undefined } {
  const { fragments, joined } = jsonParts(body);
  return {
    fragments: fragments.map(({ slot, hash, text }) => `${slot} ${hash} ${text}`),
    joined: joined?.toString('latin1'),
  };
}

/** The same, byte by byte. */
function naive(body: Buffer): ReturnType<typeof found> {
  const fragments: string[] = [];
  const short: string[] = [];
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
      const text = body.toString('latin1', from, to);
      if (/^[\w+/=.~%:@-]{3,}$/.test(text))
        fragments.push(`${hashOf(body, name[0], name[1], MEMBER)} ${hashOf(body, from, to, 0)} ${text}`);
      if (to - from <= 96) size += to - from;
      if (to - from > 1 && to - from <= 96) short.push(text);
    }
  }
  const isSecretAtMost = short.length < 2 || short.join('').length < 16;
  return {
    fragments: body.length > LONGEST_BODY ? [] : fragments.slice(0, MOST_FRAGMENTS),
    joined: isSecretAtMost ? undefined : `${short.join('')}\n${short.toReversed().join('')}`,
  };
}

describe('jsonParts()', () => {
  it('finds the strings without a space in them, and the names before them', () => {
    const body = Buffer.from(
      '{"note": "abcd", "list": ["x", "two words", ""], "e": "a1b2c3d4e5f6", "n": 5, "open": "xyz',
    );
    const at = (name: string, text: string): string => `${hashOf(Buffer.from(name), 0, name.length, MEMBER)} ${text}`;
    const fragments = jsonParts(body).fragments.map(({ slot, text }) => `${slot} ${text}`);
    expect(fragments).toEqual([at('note', 'abcd'), at('e', 'a1b2c3d4e5f6'), at('open', 'xyz')]);
    expect(found(body).joined).toBe('abcda1b2c3d4e5f6xyz\nxyza1b2c3d4e5f6abcd');
    expect(found(body)).toEqual(naive(body));
  });

  it('finds what a reader of one byte after another finds, in whatever calls itself JSON', () => {
    const piece = fc.oneof(
      fc.constantFrom('"', '\\', '\\"', ':', ' ', '\n', ',', '{', '": "', '\\ ', '"a"', '"b":', '"'.repeat(20)),
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.nat(40).map((length) => 'x'.repeat(length)),
      fc.stringMatching(/^"[a-z]{2,9}"$/),
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
    const many = Buffer.from(JSON.stringify(Array.from({ length: 60_000 }, (_, index) => `1${index % 10}`)));
    expect(found(many).joined).toHaveLength(2 * MOST + 1);
    expect(found(many)).toEqual(naive(many));
    const long = Buffer.from(JSON.stringify(Array.from({ length: 3000 }, (_, index) => `${index}`.padStart(97, 'x'))));
    expect(found(long)).toEqual(naive(long));
    const longest = Buffer.from(JSON.stringify(['x'.repeat(4096), 'x'.repeat(4097), 'end']));
    expect(found(longest)).toEqual(naive(longest));
    expect(found(longest).fragments).toHaveLength(2);
  });
});

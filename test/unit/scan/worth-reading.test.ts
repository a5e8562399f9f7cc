import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '../../../src/scan/decoders/base64.ts';
import { compileEngine } from '../../../src/scan/engine.ts';
import { Registered, printsOf } from '../../../src/scan/registered.ts';
import { isWorthDecoding, isWorthReading } from '../../../src/scan/worth-reading.ts';
import { randomOf } from '../../support/samples.ts';
import { KEY, TOKEN, detector, tokenEngine } from '../../support/scan.ts';

const engine = tokenEngine();
const noise = (size: number, seed = 1): Buffer => {
  const next = randomOf(seed);
  // No text and no character of UTF-8 in it.
  return Buffer.from(Array.from({ length: size }, () => 0xf8 + Math.floor(next() * 8)));
};
const within = (bytes: Buffer): Buffer => Buffer.concat([noise(20), bytes, noise(20, 2)]);
const worth = (bytes: Buffer, by = engine): boolean => isWorthReading(bytes, bytes.length, by);

describe('isWorthReading()', () => {
  it.each([
    ['a token', Buffer.from(TOKEN)],
    ['a few characters', Buffer.from('abcd 1234567')],
    ['a telephone number', Buffer.from('+49 6912')],
    ['UTF-16', Buffer.from('abcdef', 'utf16le')],
    ['characters beyond ASCII', Buffer.from('ｔｏｋｓ')],
    ['a compressed stream', gzipSync(TOKEN)],
    ['a literal and nothing else', Buffer.from('tok_a')],
  ])('says yes to %s among noise', (_what, bytes) => expect(worth(within(bytes))).toBe(true));

  it.each([
    ['noise', noise(60)],
    ['too few characters', within(Buffer.from('abcd 123456'))],
    ['too few digits', within(Buffer.from('+123456'))],
    ['characters that are cut off', within(Buffer.from('ｔｏｋｓ').subarray(0, 11))],
    ['nothing', Buffer.alloc(0)],
  ])('says no to %s', (_what, bytes) => expect(worth(bytes)).toBe(false));

  it('reads no further than it is told', () =>
    expect(isWorthReading(Buffer.concat([noise(30), Buffer.from(TOKEN)]), 30, engine)).toBe(false));

  it('says yes where a part of a registered value stands, wherever that is and however it is written', () => {
    const own = noise(40, 3);
    const value = { name: 'own', kind: 'value', registered: '', belongsTo: [], prints: printsOf(own, KEY) } as const;
    const registered = { current: new Registered([value], KEY) };
    const seeking = compileEngine([detector('token', 'tok_[A-Za-z0-9]{20}')], registered);
    expect(worth(noise(60), seeking)).toBe(false);
    for (let before = 0; before < 9; before++)
      expect(worth(Buffer.concat([noise(before), own.subarray(0, 11)]), seeking)).toBe(true);
    // Until something else is sought.
    registered.current = new Registered([], KEY);
    expect(worth(own, seeking)).toBe(false);
    registered.current = new Registered([value], KEY);
    expect(worth(own, seeking)).toBe(true);
  });

  it('says yes to everything where more values are registered than there is room for', () => {
    const many = Array.from({ length: 600 }, (_, index) => ({
      name: `own ${index}`,
      kind: 'value' as const,
      registered: '',
      belongsTo: [],
      prints: printsOf(noise(20, index + 1), KEY),
    }));
    const seeking = compileEngine([], { current: new Registered(many, KEY) });
    expect(worth(noise(60), seeking)).toBe(true);
  });
});

describe('isWorthDecoding()', () => {
  it('says yes where what any alignment decodes to is worth reading, in either alphabet', () => {
    const piece = fc.oneof(
      fc.base64String({ maxLength: 24 }),
      fc
        .constantFrom('abcd 1234567', '+12345678', 'tok_a', 'ｔｏｋｓ', 'no')
        .map((text) => Buffer.from(text).toString('base64url')),
      fc.constantFrom('A', '-', '_', '+', '/', '9'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.nat(8), (pieces, from) => {
        const chars = Buffer.from(pieces.join('').replaceAll('=', '').slice(0, 256));
        const out = new Uint8Array(256);
        const any = [0, 1, 2, 3].some((shift) =>
          isWorthReading(out, decodeBase64(chars, from + shift, chars.length, out, 0), engine),
        );
        expect(isWorthDecoding(chars, from, Math.max(from, chars.length), engine)).toBe(any);
      }),
      { numRuns: 2000 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileEngine } from '../../../src/scan/engine.ts';
import { Registered, SHORTEST, printsOf, type RegisteredValue } from '../../../src/scan/registered.ts';
import { KEY, findIn, namesIn } from '../../support/scan.ts';

function engineFor(...values: ReadonlyArray<readonly [string, string]>): ReturnType<typeof compileEngine> {
  const registered = values.map(([name, text]): RegisteredValue => ({
    name,
    kind: 'value',
    registered: '2026-01-01T00:00:00Z',
    belongsTo: [],
    prints: printsOf(Buffer.from(text), KEY),
  }));
  return compileEngine([], { current: new Registered(registered, KEY) });
}

const VALUE = ['correct-horse', 'battery-staple'].join('+');

describe('registered values', () => {
  it('are found wherever they stand, however the bytes are cut, and nothing else is', () => {
    const engine = engineFor(['a', VALUE], ['short', 'abcdefghijk']);
    fc.assert(
      fc.property(fc.nat(40), fc.nat(40), fc.array(fc.nat(100), { maxLength: 8 }), (before, behind, cuts) => {
        const text = `${'x'.repeat(before)}${VALUE}${'y'.repeat(behind)}`;
        expect(findIn(engine, text, cuts)).toMatchObject([
          { detector: 'value:a', offset: before, length: VALUE.length },
        ]);
        expect(findIn(engine, text.replace('horse', 'house'), cuts)).toEqual([]);
        expect(namesIn(engine, `${'z'.repeat(before)}abcdefghijk`, cuts)).toEqual(['value:short']);
      }),
      { numRuns: 200 },
    );
  });

  it('are found where they are cut anywhere, far into a text', () => {
    const engine = engineFor(['a', VALUE], ['short', 'abcdefghijk']);
    const cut = fc.integer({ min: -30, max: 60 });
    fc.assert(
      fc.property(
        fc.nat(40_000),
        fc.array(cut, { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        (before, cuts, short) => {
          const text = `${'-.'.repeat(before >> 1)}${'='.repeat(before & 1)}${short ? 'abcdefghijk' : VALUE}${'~'.repeat(30)}`;
          const found = findIn(
            engine,
            text,
            cuts.map((at) => Math.max(1, before + at)),
          );
          expect(found.map(({ detector, offset }) => [detector, offset])).toEqual([
            [short ? 'value:short' : 'value:a', before],
          ]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are found encoded, backwards, in capitals and in ROT13', () => {
    const engine = engineFor(['a', VALUE]);
    const rot13 = VALUE.replace(/[a-z]/g, (char) => String.fromCharCode(((char.charCodeAt(0) - 84) % 26) + 97));
    for (const [text, through] of [
      [Buffer.from(`my ${VALUE}`).toString('base64'), 'value:a>base64'],
      [Buffer.from(VALUE).toString('hex'), 'value:a>hex'],
      [encodeURIComponent(VALUE), 'value:a>percent'],
      [[...VALUE].reverse().join(''), 'value:a'],
      [VALUE.toUpperCase(), 'value:a'],
      [rot13, 'value:a'],
      [Buffer.from(rot13).toString('base64'), 'value:a>base64'],
    ] as const)
      expect(namesIn(engine, `-- ${text} --`)).toContain(through);
  });

  it('are found in part where they are long', () => {
    const long = Array.from({ length: 40 }, (_, index) => `part-${index}`).join(':');
    const engine = engineFor(['long', long]);
    expect(new Set(namesIn(engine, `x${long.slice(60, 200)}x`))).toEqual(new Set(['value:long']));
    expect(namesIn(engine, long.slice(10, 40))).toEqual([]);
  });

  it('are kept as keyed hashes alone', () => {
    const text = JSON.stringify(printsOf(Buffer.from(VALUE), KEY));
    expect(text).not.toContain('horse');
    expect(JSON.stringify(printsOf(Buffer.from(VALUE), Buffer.alloc(32, 8)))).not.toBe(text);
    expect(SHORTEST).toBe(11);
  });
});

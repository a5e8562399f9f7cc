import fc from 'fast-check';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compileEngine } from '../../../src/scan/engine.ts';
import { BudgetExceeded } from '../../../src/scan/budget.ts';
import { Scanner } from '../../../src/scan/scanner.ts';
import { ENCODINGS, base64, each } from '../../support/encodings.ts';
import { KEY, TOKEN, detector, findIn, namesIn, tokenEngine } from '../../support/scan.ts';

const engine = tokenEngine();
describe('Scanner', () => {
  it.each(ENCODINGS)('finds a secret %s', (_name, encode) => {
    const found = findIn(engine, `before ${encode(TOKEN)} behind`);
    expect(found.map((one) => one.detector)).toContain('token');
  });

  it.each(ENCODINGS)('finds the same wherever the bytes are cut: %s', (_name, encode) => {
    const text = `acme_key = "0f1e2d3c4b5a6978" before ${encode(TOKEN)} behind ${TOKEN}`;
    const whole = findIn(engine, text);
    expect(whole.length).toBeGreaterThan(2);
    const cuts = fc.array(fc.nat(text.length), { maxLength: 20 });
    fc.assert(
      fc.property(cuts, (places) => {
        expect(findIn(engine, text, places)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
    if (text.length < 2000)
      expect(
        findIn(
          engine,
          text,
          Array.from(text, (_, index) => index),
        ),
      ).toEqual(whole);
  });

  it('finds the same where all there is comes at once, one input after another', () => {
    const scanner = new Scanner(engine, KEY);
    for (const [name, encode] of [...ENCODINGS, ...ENCODINGS.toReversed()]) {
      const text = `before ${encode(TOKEN)} behind`;
      const found = scanner.wholeBytes(Buffer.from(text, 'latin1'));
      expect([name, found.map(({ detector: each }) => each).sort()]).toEqual([
        name,
        findIn(engine, text)
          .map(({ detector: each }) => each)
          .sort(),
      ]);
      expect(scanner.wholeBytes(Buffer.from('{"plain":[1,2]}'))).toEqual([]);
    }
  });

  it('has room for a literal at every byte of what is looked at together', () => {
    const own = compileEngine([detector('token', 'tok_[A-Za-z0-9]{20}'), detector('any', 'w[^\\n]{3}y')]);
    const scanner = new Scanner(own, KEY);
    const bytes = Buffer.from(`${'w'.repeat(42_000)} ${TOKEN}`);
    expect(scanner.wholeBytes(bytes).map(({ detector: each }) => each)).toEqual(['token']);
  });

  it.each(ENCODINGS.filter(([name]) => name !== 'base58'))(
    'finds a secret wherever it stands in a long text, however that comes: %s',
    (_name, encode) => {
      for (const before of [0, 40, 1500, 4090, 20_000]) {
        const text = encode(`${'words. '.repeat(before / 7)}${TOKEN}${' or not.'.repeat(1200)}`);
        for (const size of [1000, 7000, 32_768, text.length]) {
          const cuts = Array.from({ length: Math.floor(text.length / size) }, (_, i) => (i + 1) * size);
          expect(namesIn(engine, `x ${text} y`, cuts).some((each) => /^token\b/.test(each))).toBe(true);
        }
      }
    },
  );

  it('tells where it was found, and holds back what may still become a finding and nothing else', () => {
    const scanner = new Scanner(engine, KEY);
    expect(scanner.push(Buffer.from(`plain text, ${TOKEN.slice(0, 10)}`))).toEqual([]);
    expect(scanner.safe(false)).toBe('plain text, '.length);
    const [finding] = scanner.push(Buffer.from(`${TOKEN.slice(10)} `));
    expect(finding).toMatchObject({ detector: 'token', offset: 12, length: TOKEN.length, via: [] });
    expect(scanner.safe(false)).toBe(12 + TOKEN.length + 1);
  });

  it('holds back the beginning of a literal only softly', () => {
    const scanner = new Scanner(engine, KEY);
    scanner.push(Buffer.from('event. to'));
    expect([scanner.safe(false), scanner.safe(true)]).toEqual([9, 7]);
    scanner.push(Buffer.from('day.\n\n'));
    expect(scanner.safe(true)).toBe(15);
  });

  it('holds back what is encoded while it may still become a finding', () => {
    const scanner = new Scanner(engine, KEY);
    const long = `${base64('nothing here. '.repeat(300))}${base64(TOKEN)}`;
    scanner.push(Buffer.from(`x: ${long.slice(0, -12)}`));
    expect(scanner.safe(true)).toBeLessThan(3 + long.length - 40);
    expect(scanner.safe(true)).toBeGreaterThan(1000);
  });

  it('is as new after the end of a stream', () => {
    const scanner = new Scanner(engine, KEY);
    for (let round = 0; round < 3; round++) {
      expect(scanner.push(Buffer.from(`${'x '.repeat(round * 30_000)}${TOKEN}`))).toEqual([]);
      expect(scanner.end()).toMatchObject([{ offset: round * 60_000 }]);
    }
    scanner.push(Buffer.from(TOKEN.slice(0, 12)));
    scanner.end();
    scanner.push(Buffer.from(TOKEN.slice(12)));
    expect(scanner.end()).toEqual([]);
  });

  it.each(ENCODINGS)('finds the same again and again: %s', (_name, encode) => {
    const scanner = new Scanner(engine, KEY);
    const bytes = Buffer.from(`${'some text. '.repeat(30)}${encode(TOKEN)} behind`, 'latin1');
    const first = scanner.wholeBytes(bytes);
    expect(first.length).toBeGreaterThan(0);
    for (let round = 0; round < 3; round++) {
      scanner.wholeBytes(Buffer.from(encode('nothing in here to be found'), 'latin1'));
      expect(scanner.wholeBytes(bytes)).toEqual(first);
    }
  });

  it('keeps nothing of the streams that are over', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const scanner = new Scanner(engine, KEY);
    const text = `{"a": "${base64('nothing to see here')}", "b": "${each('and here', (code) => `%${code}`)}"}`;
    const grown = (): number => {
      for (let i = 0; i < 8000; i++) scanner.whole(text);
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = grown();
    expect(grown() - before).toBeLessThan(2_000_000);
  });

  it('names what it was found through, outermost first', () => {
    expect(namesIn(engine, base64(each(TOKEN, (code) => code)))).toEqual(['token>base64>hex']);
  });

  it('does not take an obvious placeholder for a secret, unless it stands behind one', () => {
    expect(namesIn(engine, 'tok_exampleexampleexampl')).toEqual([]);
    expect(namesIn(engine, `${TOKEN}`)).toEqual(['token']);
  });

  it('refuses to look at what costs too much', () => {
    const bomb = gzipSync(Buffer.alloc(80_000_000));
    expect(() => new Scanner(engine, KEY).push(bomb)).toThrow(BudgetExceeded);
    // The same bytes as they are cost what they bring.
    expect(() => new Scanner(engine, KEY).push(Buffer.alloc(8_000_000))).not.toThrow();
  });

  it('refuses a flood of what might be Brotli, and not some of it', () => {
    const words = (count: number): string =>
      Array.from({ length: count }, (_, i) =>
        Buffer.from(`\x1b\x35nothing${i} ends`.padEnd(24, '.'), 'latin1').toString('base64'),
      ).join(' ');
    expect(namesIn(engine, words(300))).toEqual([]);
    expect(() => namesIn(engine, words(3000))).toThrow(BudgetExceeded);
  });

  it('finds what hides behind more findings than anybody wants to be told of', () => {
    const noisy = compileEngine([
      detector('noise', 'n_[0-9]{6}', { severity: 'low' }),
      detector('token', 'tok_[A-Za-z0-9]{20}'),
    ]);
    const noise = Array.from({ length: 3000 }, (_, index) => `n_${String(index).padStart(6, '0')}`).join(' ');
    expect(namesIn(noisy, `${noise} ${TOKEN}`).filter((name) => name === 'token')).toEqual(['token']);
  });

  it('finds a secret whose end was drawn out to look like no random text', () => {
    const careful = compileEngine([detector('key', 'sk-[A-Za-z0-9]{20,}', { entropy: 3.5 })]);
    expect(namesIn(careful, `sk-${TOKEN.slice(4)}${'a'.repeat(400)}`)).toEqual(['key']);
    expect(namesIn(careful, `sk-${'ab'.repeat(20)}`)).toEqual([]);
  });
});

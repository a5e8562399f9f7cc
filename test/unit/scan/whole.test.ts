import { generateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadDetectors } from '../../../src/policy/load.ts';
import { TRAITS } from '../../../src/scan/bytes.ts';
import { compileEngine } from '../../../src/scan/engine.ts';
import { Registered, printsOf } from '../../../src/scan/registered.ts';
import { Scanner } from '../../../src/scan/scanner.ts';
import { ENCODINGS } from '../../support/encodings.ts';
import { detector, KEY, TOKEN } from '../../support/scan.ts';

/** `FUZZ_RUNS=100000 npx vitest run --project unit scan/whole` for as long as anybody likes. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1500);
const engine = compileEngine([
  ...loadDetectors('rules/detectors').filter(({ family }) => family !== 'injected-instructions'),
  detector('token', 'tok_[A-Za-z0-9]{20}'),
]);
const { kernel } = engine;

/** Traits that are left of bytes that are all there is: those whose readers are asked. */
function left(text: string | Buffer): string[] {
  kernel.whole(Buffer.from(text as string, 'latin1'), true);
  const asked = ['percent', 'backslash', 'zero', 'high', 'longRun', 'fourDigits', 'codes', 'words'] as const;
  return asked.filter((name) => (kernel.traits & TRAITS[name]) !== 0);
}

const PHRASE = ['legal winner thank year wave sausage worth useful', 'legal winner thank yellow'].join(' ');
const CARD = ['4111', '1111', '1111', '1111'];
const OWN = 'Kq7x:9Qm2 pLw4';
const VALUE = {
  name: 'own',
  kind: 'value',
  registered: '',
  belongsTo: [],
  prints: printsOf(Buffer.from(OWN), KEY),
} as const;
const seeking = { ...engine, registered: { current: new Registered([VALUE], KEY) } };
const noise = Buffer.from(Array.from({ length: 48 }, (_, at) => 0x80 + ((at * 37) % 64)));

describe('bytes that are all there is', () => {
  it.each<readonly [string, string]>([
    ['dates and times', '2026-11-29T18:41:21Z, then 2025-01-02 03:04:05'],
    ['a UUID', '{"id":"0b6c2f9e-9b1d-4c2e-8f7a-1d2e3f4a5b6c"}'],
    ['a digest in hexadecimal digits', '9e107d9d372bb6826bd81d3542a419d6'],
    [
      'a sentence of many words',
      'please take these twelve chairs outside before dinner tonight while everyone else sleeps',
    ],
    [
      'a sentence with words of the list among others',
      'abandon ability shall cradle crazy shall dance danger shall eager eagle',
    ],
    ['eleven words of the list', PHRASE.split(' ').slice(1).join(' ')],
    ['a few numbers', '[1, 22, 33, 44, 55, 66, 77, 88, 99, 100, 255]'],
    ['numbers that are no codes', '[300, 301, 302, 303, 304, 305, 306, 307, 308, 309, 310, 311, 312]'],
    ['escapes that end lines', '"one\\ntwo\\tthree \\"four\\" five"'],
    ['percent signs', '100% of it, 50%, and 7 %zz'],
    ['a path', '/usr/lib/node_modules/typescript/lib/lib.dom.iterable.d.ts'],
    ['Base64 of noise', noise.toString('base64')],
    ['hexadecimal digits of noise', noise.toString('hex')],
    ['words in capitals and numbers with hyphens', 'A-52F-670E-276B-417H-337D-882E-404F-680'],
  ])('need no reader: %s', (_what, text) => expect(left(text)).toEqual([]));

  it.each<readonly [string, string, string]>([
    ['a payment card', CARD.join(' '), 'fourDigits'],
    ['a telephone number', 'call +49 3012 3456', 'fourDigits'],
    ['a phrase', PHRASE, 'words'],
    ['a phrase on lines with numbers', PHRASE.split(' ').join('\n12. '), 'words'],
    ['twelve codes', '[1, 22, 33, 44, 55, 66, 77, 88, 99, 100, 255, 0]', 'codes'],
    ['twelve codes with prefixes', Array.from({ length: 12 }, () => '0x4a').join(', '), 'codes'],
    ['an escape by number', 'one \\u0041 two', 'backslash'],
    ['an escape in percent', 'one %41 two', 'percent'],
    ['characters beyond ASCII', 'caf\xe9', 'high'],
    ['Base64 of text', Buffer.from('some text of ours').toString('base64'), 'longRun'],
    [
      'the same over lines',
      `${Buffer.from(`${'~'.repeat(9)}${TOKEN}`)
        .toString('base64')
        .replace(/.{20}/g, '$&\r\n  ')}`,
      'longRun',
    ],
    ['hexadecimal digits of text', Buffer.from('some text of ours').toString('hex'), 'longRun'],
    [
      'hexadecimal digits of text within a name',
      `key${Buffer.from('some text of ours').toString('hex')}end`,
      'longRun',
    ],
    ['Base32', 'JBSWY3DPEBLW64TMMQQQJBSWY3DP', 'longRun'],
    ['Base58', '2NEpo7TZRRrLZSi2U9xy', 'longRun'],
  ])('need one: %s', (_what, text, trait) => expect(left(text)).toContain(trait));

  it('are not looked at as runs where anything may be in them', () => {
    kernel.whole(Buffer.from(noise.toString('base64')), false);
    expect(kernel.traits & TRAITS.longRun).not.toBe(0);
  });

  it('hold what is found in them as a stream, whatever they are made of', () => {
    const random = fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes));
    const encoding = fc.constantFrom(...ENCODINGS.map(([, encode]) => encode));
    const secret = fc.constantFrom(
      `x ${TOKEN}`,
      TOKEN,
      CARD.join(''),
      CARD.join(' '),
      PHRASE,
      '+4930123456',
      'some words',
    );
    const piece = fc.oneof(
      random.map((bytes) => bytes.toString('base64')),
      random.map((bytes) => bytes.toString('hex')),
      random.map((bytes) => bytes.toString('latin1')),
      fc.tuple(encoding, secret).map(([encode, text]) => encode(text)),
      fc.tuple(encoding, encoding, secret).map(([outer, inner, text]) => outer(inner(text))),
      fc
        .array(fc.constantFrom(...wordlist.slice(0, 200), 'shall', 'of'), { maxLength: 16 })
        .map((all) => all.join(' ')),
      fc.nat(3).map(() => generateMnemonic(wordlist)),
      fc.array(fc.nat(300), { maxLength: 16 }).map((all) => all.join(', ')),
      fc.bigInt(0n, 10n ** 19n).map(String),
      fc.constantFrom(' ', '\n', '"', ':', '+', '-', ', ', 'A', 'b', '0x', '\r\n  ', '\\n', '=', '.'),
      secret,
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.constantFrom(engine, seeking), (pieces, by) => {
        const bytes = Buffer.from(pieces.join('').slice(0, 4096), 'latin1');
        // What is found in two ways is told of once, and which is met first may differ.
        const told = (found: readonly { detector: string; fingerprint: string }[]): string[] =>
          [...new Set(found.map((each) => `${each.detector} ${each.fingerprint}`))].sort();
        const stream = new Scanner(by, KEY);
        const found = [...stream.push(bytes), ...stream.end()];
        expect(told(new Scanner(by, KEY).wholeBytes(bytes))).toEqual(told(found));
      }),
      { numRuns: RUNS },
    );
  });
});

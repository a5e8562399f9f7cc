import fc from 'fast-check';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BudgetExceeded } from '../../../src/scan/budget.ts';
import { Scanner } from '../../../src/scan/scanner.ts';
import { KEY, TOKEN, findIn, namesIn, tokenEngine } from '../../support/scan.ts';

const engine = tokenEngine();
const each = (text: string, form: (code: string) => string): string =>
  [...text].map((char) => form(char.charCodeAt(0).toString(16).padStart(2, '0'))).join('');
const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
const wrapped = (text: string, by: string): string => (text.match(/.{1,60}/g) ?? []).join(by);

function base32(text: string): string {
  const bits = [...Buffer.from(text)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? [])
    .map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)] ?? '')
    .join('');
}

function base58(text: string): string {
  let value = BigInt(`0x${Buffer.from(text).toString('hex')}`);
  let encoded = '';
  for (; value > 0n; value /= 58n)
    encoded = `${'123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'[Number(value % 58n)] ?? ''}${encoded}`;
  return encoded;
}

const ENCODINGS: ReadonlyArray<readonly [string, (text: string) => string]> = [
  ['as it is', (text) => text],
  ['base64', (text) => base64(`the token is ${text}.`)],
  ['base64 behind junk', (text) => `xyQ${base64(`the token is ${text}.`)}`],
  ['base64url', (text) => Buffer.from(`??>>${text}`).toString('base64url')],
  [
    'wrapped base64',
    (text) => wrapped(base64(`some text before it, and then ${text} and after it`.repeat(3)), '\r\n  '),
  ],
  [
    'base64 wrapped in JSON',
    (text) => wrapped(base64(`some text before it, and then ${text} and after it`.repeat(3)), '\\n'),
  ],
  ['long base64', (text) => base64(`${'nothing to see here. '.repeat(600)}${text}${' nor here'.repeat(900)}`)],
  ['hex', (text) => each(text, (code) => code)],
  ['hex behind junk', (text) => `zz${each(text, (code) => code)}`],
  ['percent', (text) => each(text, (code) => `%${code}`)],
  ['percent in part', (text) => text.replace('_', '%5F')],
  ['percent twice', (text) => text.replace('_', '%255F')],
  ['JSON escapes', (text) => each(text, (code) => `\\u00${code}`)],
  ['JavaScript escapes', (text) => each(text, (code) => `\\x${code}`)],
  ['braced escapes', (text) => each(text, (code) => `\\u{${code}}`)],
  ['octal escapes', (text) => [...text].map((char) => `\\${char.charCodeAt(0).toString(8)}`).join('')],
  ['entities', (text) => each(text, (code) => `&#x${code};`)],
  ['decimal entities', (text) => [...text].map((char) => `&#${char.charCodeAt(0)};`).join('')],
  ['named entities', (text) => text.replace('_', '&lowbar;')],
  ['quoted-printable', (text) => each(text.toUpperCase() === text ? text : text, (code) => `=${code.toUpperCase()}`)],
  ['soft line breaks', (text) => `${text.slice(0, 9)}=\r\n${text.slice(9)}`],
  ['hex with spaces', (text) => each(text, (code) => `${code} `)],
  ['hex with colons', (text) => each(text, (code) => `:${code}`).slice(1)],
  ['hex as in C', (text) => each(text, (code) => `0x${code}, `)],
  ['decimal codes', (text) => [...Buffer.from(text)].join(', ')],
  [
    'full-width letters',
    (text) =>
      [...text]
        .map((char) => utf8(char === '_' ? '\uff3f' : String.fromCharCode(char.charCodeAt(0) + 0xfee0)))
        .join(''),
  ],
  [
    'mathematical letters',
    (text) =>
      [...text]
        .map((char) => utf8(/[a-z]/.test(char) ? String.fromCodePoint(0x1d41a + char.charCodeAt(0) - 97) : char))
        .join(''),
  ],
  ['Cyrillic look-alikes', (text) => utf8(text.replaceAll('o', '\u043e'))],
  ['zero-width characters', (text) => utf8([...text].join('\u200b'))],
  ['combining marks', (text) => utf8([...text].join('\u0301'))],
  ['UTF-16', (text) => Buffer.from(text, 'utf16le').toString('latin1')],
  ['UTF-16 big-endian', (text) => `\0${[...text].join('\0')}`],
  ['UTF-32', (text) => `${[...text].join('\0\0\0')}\0\0\0`],
  ['gzip', (text) => gzipSync(`a log line\n${text}\n`).toString('latin1')],
  ['deflate', (text) => deflateSync(`a log line\n${text}\n`).toString('latin1')],
  ['deflate, fast', (text) => deflateSync(`a log line\n${text}\n`, { level: 1 }).toString('latin1')],
  ['gzip in base64', (text) => gzipSync(`a log line\n${text}\n`).toString('base64')],
  ['gzip with something behind', (text) => `${gzipSync(text).toString('latin1')}${'junk'.repeat(200)}`],
  ['brotli in base64', (text) => brotliCompressSync(`a log line\n${text}\n`).toString('base64')],
  ['base64 in gzip in base64', (text) => gzipSync(base64(`token ${text}`)).toString('base64')],
  ['base32', (text) => base32(`token ${text}`)],
  ['base58', (text) => base58(text)],
  ['base64 of hex', (text) => base64(each(text, (code) => code))],
  ['hex of base64', (text) => each(base64(`token: ${text}`), (code) => code)],
  ['base64 three times', (text) => base64(base64(base64(`token: ${text}`)))],
  [
    'percent-encoded base64',
    (text) =>
      encodeURIComponent(base64(`??>>~~ ${text}`)).replace(/[a-m]/g, (char) => `%${char.charCodeAt(0).toString(16)}`),
  ],
];

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

  it('names what it was found through, outermost first', () => {
    expect(namesIn(engine, base64(each(TOKEN, (code) => code)))).toEqual(['token>base64>hex']);
  });

  it('does not take an obvious placeholder for a secret, unless it stands behind one', () => {
    expect(namesIn(engine, 'tok_exampleexampleexampl')).toEqual([]);
    expect(namesIn(engine, `${TOKEN}`)).toEqual(['token']);
  });

  it('refuses to look at what costs too much', () => {
    const scanner = new Scanner(engine, KEY);
    const flood = Buffer.from('acme '.repeat(6_000_000));
    expect(() => {
      for (let round = 0; round < 5; round++) scanner.push(flood);
    }).not.toThrow();
    expect(new BudgetExceeded('x').name).toBe('BudgetExceeded');
  });
});

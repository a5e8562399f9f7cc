import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

/** Ways to write a text, all of which the scanner reads. Latin-1 in and out: a character is a byte. */

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
export const each = (text: string, form: (code: string) => string): string =>
  [...text].map((char) => form(char.charCodeAt(0).toString(16).padStart(2, '0'))).join('');
/** The same for UTF-16 units, or characters, of a text that is UTF-8. */
const eachUnit = (text: string, form: (code: number) => string): string => {
  const string = bytes(text).toString('utf8');
  return Array.from({ length: string.length }, (_, index) => form(string.charCodeAt(index))).join('');
};
const eachCharacter = (text: string, form: (code: number) => string): string =>
  [...bytes(text).toString('utf8')].map((char) => form(char.codePointAt(0) ?? 0)).join('');
const hex4 = (code: number): string => code.toString(16).padStart(4, '0');
export const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
const wrapped = (text: string, by: string): string => (text.match(/.{1,60}/g) ?? []).join(by);

function base32(text: string): string {
  const bits = [...bytes(text)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.padEnd(Math.ceil(bits.length / 5) * 5, '0').match(/.{5}/g) ?? [])
    .map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)] ?? '')
    .join('');
}

function base58(text: string): string {
  let value = BigInt(`0x${bytes(text).toString('hex')}`);
  let encoded = '';
  for (; value > 0n; value /= 58n)
    encoded = `${'123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'[Number(value % 58n)] ?? ''}${encoded}`;
  return encoded;
}

export const ENCODINGS: ReadonlyArray<readonly [string, (text: string) => string]> = [
  ['as it is', (text) => text],
  ['base64', (text) => base64(`the token is ${text}.`)],
  ['base64 behind junk', (text) => `xyQ${base64(`the token is ${text}.`)}`],
  ['base64url', (text) => bytes(`??>>${text}`).toString('base64url')],
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
  ['JSON escapes', (text) => eachUnit(text, (code) => `\\u${hex4(code)}`)],
  ['JavaScript escapes', (text) => each(text, (code) => `\\x${code}`)],
  ['braced escapes', (text) => eachCharacter(text, (code) => `\\u{${code.toString(16)}}`)],
  ['octal escapes', (text) => [...text].map((char) => `\\${char.charCodeAt(0).toString(8)}`).join('')],
  ['entities', (text) => eachCharacter(text, (code) => `&#x${code.toString(16)};`)],
  ['decimal entities', (text) => eachCharacter(text, (code) => `&#${code};`)],
  ['named entities', (text) => text.replace('_', '&lowbar;')],
  ['quoted-printable', (text) => each(text.toUpperCase() === text ? text : text, (code) => `=${code.toUpperCase()}`)],
  ['soft line breaks', (text) => text.replaceAll('=', '=3D').replace(/^(.{9})/s, '$1=\r\n')],
  ['hex with spaces', (text) => each(text, (code) => `${code} `)],
  ['hex with colons', (text) => each(text, (code) => `:${code}`).slice(1)],
  ['hex as in C', (text) => each(text, (code) => `0x${code}, `)],
  ['decimal codes', (text) => [...bytes(text)].join(', ')],
  [
    'full-width letters',
    (text) =>
      [...text]
        .map((char) => utf8(char > ' ' && char <= '~' ? String.fromCharCode(char.charCodeAt(0) + 0xfee0) : char))
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
  ['gzip', (text) => gzipSync(bytes(`a log line\n${text}\n`)).toString('latin1')],
  ['deflate', (text) => deflateSync(bytes(`a log line\n${text}\n`)).toString('latin1')],
  ['deflate, fast', (text) => deflateSync(bytes(`a log line\n${text}\n`), { level: 1 }).toString('latin1')],
  ['gzip in base64', (text) => gzipSync(bytes(`a log line\n${text}\n`)).toString('base64')],
  ['gzip with something behind', (text) => `${gzipSync(bytes(text)).toString('latin1')}${'junk'.repeat(200)}`],
  ['brotli in base64', (text) => brotliCompressSync(bytes(`a log line\n${text}\n`)).toString('base64')],
  ['base64 in gzip in base64', (text) => gzipSync(bytes(base64(`token ${text}`))).toString('base64')],
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

import { TRAITS } from '../bytes.ts';
import { NIBBLES } from './hex.ts';
import { NO_ESCAPE, escapeOf, putUtf8, type Escapes } from './escapes.ts';

/** Named references that stand for ASCII (WHATWG HTML §13.5): only those can be part of what is looked for. */
const NAMED: ReadonlyMap<string, string> = new Map(
  (
    'amp & lt < gt > quot " apos \' nbsp \u00a0 num # dollar $ percnt % lpar ( rpar ) ast * plus + comma , period . sol / ' +
    'colon : semi ; equals = quest ? commat @ lsqb [ lbrack [ bsol \\ rsqb ] rbrack ] Hat ^ lowbar _ UnderBar _ grave ` ' +
    'lcub { lbrace { verbar | vert | rcub } rbrace } excl ! hyphen - dash - Tab \t NewLine \n shy \u00ad ZeroWidthSpace \u200b'
  )
    .split(' ')
    .reduce<Array<[string, string]>>((pairs, each, index) => {
      if (index % 2 === 0) pairs.push([each, '']);
      else (pairs.at(-1) as [string, string])[1] = each;
      return pairs;
    }, []),
);
/** What every page has. */
const USUAL = /^(?:amp|lt|gt|quot|apos|nbsp);/;
const SEMICOLON = 0x3b;
/** Bytes of a name, `#` and digits included. */
const LONGEST_NAME = 17;

/** Character references of HTML and XML: `&#65;`, `&#x41;`, `&lowbar;`. */
export const ENTITIES: Escapes = {
  format: 'entities',
  trait: TRAITS.ampersand,
  asks: TRAITS.references,
  longest: 18,
  hides(bytes, at) {
    if (bytes[at + 1] === 0x23) return true;
    let end = at + 1;
    while (end < at + LONGEST_NAME && isNameByte(bytes[end] as number)) end++;
    if (bytes[end] !== SEMICOLON || end < at + 3) return false;
    return !USUAL.test(Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, 5).toString('latin1'));
  },
  decode(bytes, at, out, put) {
    if (bytes[at + 1] === 0x23) return numeric(bytes, at, out, put);
    let end = at + 1;
    while (end < at + LONGEST_NAME && bytes[end] !== SEMICOLON && isNameByte(bytes[end] as number)) end++;
    if (end === at + 1 || bytes[end] !== SEMICOLON) return NO_ESCAPE;
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, end - at - 1).toString('latin1');
    const char = NAMED.get(name);
    return char === undefined ? NO_ESCAPE : escapeOf(end + 1 - at, putUtf8(char.codePointAt(0) as number, out, put));
  },
};

/** `&#65;` or `&#x41;`; what is written without its semicolon, readers take all the same (WHATWG HTML §13.2.5.80). */
function numeric(bytes: Uint8Array, at: number, out: Uint8Array, put: number): number {
  const isHex = ((bytes[at + 2] as number) | 32) === 0x78;
  const radix = isHex ? 16 : 10;
  const first = at + (isHex ? 3 : 2);
  let code = 0;
  let end = first;
  for (; end < at + LONGEST_NAME; end++) {
    const digit = NIBBLES[bytes[end] as number] as number;
    if (digit >= radix) break;
    code = code * radix + digit;
  }
  const goesOn = end < at + LONGEST_NAME && isNameByte(bytes[end] as number);
  if (end === first || goesOn || code > 0x10ffff) return NO_ESCAPE;
  return escapeOf(bytes[end] === SEMICOLON ? end + 1 - at : end - at, putUtf8(code, out, put));
}

function isNameByte(byte: number): boolean {
  return (
    byte === 0x23 || (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
  );
}

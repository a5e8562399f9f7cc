import { TRAITS } from '../bytes.ts';
import { putUtf8, type Escapes } from './escapes.ts';

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

/** Character references of HTML and XML: `&#65;`, `&#x41;`, `&lowbar;`. */
export const ENTITIES: Escapes = {
  format: 'entities',
  lead: 0x26,
  trait: TRAITS.ampersand,
  longest: 18,
  hides(bytes, at) {
    if (bytes[at + 1] === 0x23) return true;
    let end = at + 1;
    while (end < at + 17 && isNameByte(bytes[end] as number)) end++;
    if (bytes[end] !== SEMICOLON || end < at + 3) return false;
    return !USUAL.test(Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, 5).toString('latin1'));
  },
  decode(bytes, at, out, put) {
    let end = at + 1;
    while (end < at + 17 && bytes[end] !== SEMICOLON && isNameByte(bytes[end] as number)) end++;
    if (end === at + 1) return null;
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, end - at - 1).toString('latin1');
    const read = bytes[end] === SEMICOLON ? end + 1 - at : end - at;
    const numeric = /^#(?:[xX]([0-9a-fA-F]+)|([0-9]+))$/.exec(name);
    if (numeric !== null) {
      const code = numeric[1] === undefined ? Number(numeric[2]) : Number.parseInt(numeric[1], 16);
      return code > 0x10ffff ? null : { read, written: putUtf8(code, out, put) };
    }
    const char = bytes[end] === SEMICOLON ? NAMED.get(name) : undefined;
    return char === undefined ? null : { read, written: putUtf8(char.codePointAt(0) as number, out, put) };
  },
};

function isNameByte(byte: number): boolean {
  return (
    byte === 0x23 || (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
  );
}

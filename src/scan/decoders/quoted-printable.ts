import { TRAITS } from '../bytes.ts';
import { NIBBLES } from './hex.ts';
import { NO_ESCAPE, escapeOf, type Escapes } from './escapes.ts';

const EQUALS = 0x3d;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;

/** Quoted-printable (RFC 2045 §6.7): `=41`, and an equals sign at the end of a line that goes on. */
export const QUOTED_PRINTABLE: Escapes = {
  format: 'quoted-printable',
  trait: TRAITS.equals,
  asks: TRAITS.quoted,
  longest: 3,
  // An equals sign stands for itself in most text. In quoted-printable none does: all that follow are escapes too.
  hides(bytes, at) {
    if (!isEscape(bytes, at)) return false;
    let escapes = 1;
    for (let next = at + 2; next < at + AHEAD; next++) {
      if (bytes[next] === 0) break;
      if (bytes[next] !== EQUALS) continue;
      if (next + 2 >= at + AHEAD) break;
      if (!isEscape(bytes, next)) return false;
      escapes++;
    }
    return escapes > 1 || bytes[at + 1] === LINE_FEED || bytes[at + 1] === RETURN;
  },
  decode(bytes, at, out, put) {
    if (bytes[at + 1] === LINE_FEED) return escapeOf(2, 0);
    if (bytes[at + 1] === RETURN && bytes[at + 2] === LINE_FEED) return escapeOf(3, 0);
    const high = NIBBLES[bytes[at + 1] as number] as number;
    const low = NIBBLES[bytes[at + 2] as number] as number;
    if (high === 255 || low === 255) return NO_ESCAPE;
    out[put] = (high << 4) | low;
    return escapeOf(3, 1);
  },
};

/** Bytes that are looked at for further escapes. */
const AHEAD = 24;

/** Encoders write capitals. */
function isEscape(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at + 1] as number;
  if (first === LINE_FEED || (first === RETURN && bytes[at + 2] === LINE_FEED)) return true;
  const second = bytes[at + 2] as number;
  return first < 0x47 && second < 0x47 && NIBBLES[first] !== 255 && NIBBLES[second] !== 255;
}

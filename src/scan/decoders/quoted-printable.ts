import { NIBBLES } from './hex.ts';
import type { Escapes } from './escapes.ts';

const LINE_FEED = 0x0a;
const RETURN = 0x0d;

/** Quoted-printable (RFC 2045 §6.7): `=41`, and an equals sign at the end of a line that goes on. */
export const QUOTED_PRINTABLE: Escapes = {
  format: 'quoted-printable',
  lead: 0x3d,
  longest: 3,
  hides: () => true,
  decode(bytes, at, out, put) {
    if (bytes[at + 1] === LINE_FEED) return { read: 2, written: 0 };
    if (bytes[at + 1] === RETURN && bytes[at + 2] === LINE_FEED) return { read: 3, written: 0 };
    const high = NIBBLES[bytes[at + 1] as number] as number;
    const low = NIBBLES[bytes[at + 2] as number] as number;
    if (high === 255 || low === 255) return null;
    out[put] = (high << 4) | low;
    return { read: 3, written: 1 };
  },
};

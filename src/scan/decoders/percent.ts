import { TRAITS } from '../bytes.ts';
import { NIBBLES } from './hex.ts';
import { NO_ESCAPE, escapeOf, type Escapes } from './escapes.ts';

/** Percent-encoding (RFC 3986 §2.1). Several layers of it are several views. */
export const PERCENT: Escapes = {
  format: 'percent',
  trait: TRAITS.percent,
  asks: TRAITS.percent,
  longest: 3,
  hides: () => true,
  decode(bytes, at, out, put) {
    const high = NIBBLES[bytes[at + 1] as number] as number;
    const low = NIBBLES[bytes[at + 2] as number] as number;
    if (high === 255 || low === 255) return NO_ESCAPE;
    out[put] = (high << 4) | low;
    return escapeOf(3, 1);
  },
};

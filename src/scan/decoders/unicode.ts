import { TRAITS } from '../bytes.ts';
import { NO_ESCAPE, escapeOf, putUtf8, type Escapes } from './escapes.ts';

/** Letters of other scripts that look like ASCII (Unicode TS #39, confusables), beside what NFKD already folds. */
const CONFUSABLES: ReadonlyMap<number, string> = new Map(
  (
    'аa еe оo рp сc уy хx ѕs іi јj ԁd һh ԛq ԝw ьb мm нh тt кk вb гr АA ВB ЕE КK МM НH ОO РP СC ТT ХX УY ЅS ІI ЈJ ԌG ' +
    'αa οo ρp νv τt κk ιi υu ηn ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX օo սu ոn հh ցg ᴀA ᴄC ᴅD ᴇE ᴊJ ᴋK ᴍM ᴏO ᴘP ᴛT ᴜU ᴠV ᴡW ᴢZ ' +
    "ɑa ɡg ıi ʟL ɴN ʀR ʏY ‐- ‑- ‒- –- —- −- ⁃- ﹘- ∕/ ⁄/ ⧸/ ․. ꓸ. ⁎* ∗* ‗_ ﹍_ ﹎_ ﹏_ ᛫. ։: ∶: ˸: ʼ' ＇' ‘' ’' “\" ”\" ‚, ∣| ǀ| ⅼl Ⅼl"
  )
    .split(' ')
    .map((pair) => [...pair])
    .map(([from = '', to = '']) => [from.codePointAt(0) as number, to]),
);

const CODE = 0x1fffff;
const known = new Map<number, string | null>();

/**
 * The ASCII a character stands for, to the eye or once text is normalised: empty for what is not seen at all; null where it
 * stands for itself.
 */
export function asciiOf(code: number): string | null {
  let ascii = known.get(code);
  if (ascii === undefined) {
    ascii = fold(code);
    if (known.size < 50_000) known.set(code, ascii);
  }
  return ascii;
}

function fold(code: number): string | null {
  if (isUnseen(code)) return '';
  const confusable = CONFUSABLES.get(code);
  if (confusable !== undefined) return confusable;
  if (code >= 0xd800 && code < 0xe000) return null;
  // Letters of the tag block repeat ASCII, unseen; so do the regional indicators.
  if (code > 0xe0020 && code < 0xe007f) return String.fromCharCode(code - 0xe0000);
  if (code >= 0x1f1e6 && code <= 0x1f1ff) return String.fromCharCode(code - 0x1f1e6 + 0x41);
  const char = String.fromCodePoint(code);
  const plain = char.normalize('NFKD').replace(/\p{M}/gu, '');
  return plain !== char && /^[\x20-\x7e]+$/.test(plain) ? plain : null;
}

/** Zero-width and joining characters, marks that combine, variation selectors (Default_Ignorable_Code_Point and Mn). */
function isUnseen(code: number): boolean {
  return (
    code === 0xad ||
    (code >= 0x300 && code <= 0x36f) ||
    code === 0x61c ||
    (code >= 0x115f && code <= 0x1160) ||
    (code >= 0x17b4 && code <= 0x17b5) ||
    (code >= 0x180b && code <= 0x180f) ||
    (code >= 0x1ab0 && code <= 0x1aff) ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    code === 0x3164 ||
    (code >= 0xfe00 && code <= 0xfe0f) ||
    (code >= 0xfe20 && code <= 0xfe2f) ||
    code === 0xfeff ||
    code === 0xffa0 ||
    (code >= 0xe0100 && code <= 0xe01ef)
  );
}

/** Compatibility forms, look-alikes and unseen characters, as the ASCII they pass for. */
export const UNICODE: Escapes = {
  format: 'unicode',
  trait: TRAITS.high,
  asks: TRAITS.high,
  longest: 4,
  hides(bytes, at) {
    const found = character(bytes, at);
    if (found === -1) return false;
    const code = found & CODE;
    const ascii = asciiOf(code);
    if (ascii === null) return false;
    // Whole words in Cyrillic or Greek are words. Beside ASCII, or where a form has no other use, they pass for it.
    if (code >= 0x2000 || ascii === '') return true;
    return isAlphanumeric(bytes[at - 1] as number) || isAlphanumeric(bytes[at + 2] as number);
  },
  decode(bytes, at, out, put) {
    const found = character(bytes, at);
    if (found === -1) return NO_ESCAPE;
    const [code, read] = [found & CODE, found >> 21];
    const ascii = asciiOf(code);
    if (ascii === null || ascii.length > 4) return escapeOf(read, putUtf8(code, out, put));
    for (let i = 0; i < ascii.length; i++) out[put + i] = ascii.charCodeAt(i);
    return escapeOf(read, ascii.length);
  },
};

/** The character of UTF-8 at an index, and above its 21 bits how many bytes it has; -1 where there is none. */
function character(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0xc2 || lead > 0xf4) return -1;
  const second = bytes[at + 1] as number;
  if ((second & 0xc0) !== 0x80) return -1;
  if (lead < 0xe0) return (2 << 21) | ((lead & 0x1f) << 6) | (second & 0x3f);
  const third = bytes[at + 2] as number;
  if ((third & 0xc0) !== 0x80) return -1;
  if (lead < 0xf0) return (3 << 21) | ((lead & 0x0f) << 12) | ((second & 0x3f) << 6) | (third & 0x3f);
  const fourth = bytes[at + 3] as number;
  if ((fourth & 0xc0) !== 0x80) return -1;
  const code = ((lead & 7) << 18) | ((second & 0x3f) << 12) | ((third & 0x3f) << 6) | (fourth & 0x3f);
  return code > 0x10ffff ? -1 : (4 << 21) | code;
}

function isAlphanumeric(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x5f
  );
}

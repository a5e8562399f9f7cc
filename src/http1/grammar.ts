/** Character classes of RFC 9110 §5 and RFC 9112, as tables: one look-up a character, nothing lenient. */

export const TOKEN: Uint8Array = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN[character.charCodeAt(0)] = 1;
}

/** field-vchar, obs-text, SP and HTAB (RFC 9110 §5.5): every control character is out. */
export const FIELD_VALUE: Uint8Array = new Uint8Array(256);
for (let code = 0x20; code < 0x100; code++) if (code !== 0x7f) FIELD_VALUE[code] = 1;
FIELD_VALUE[0x09] = 1;

/** Request targets: visible ASCII without a fragment. */
const TARGET = new Uint8Array(256);
for (let code = 0x21; code < 0x7f; code++) if (code !== 0x23) TARGET[code] = 1;

/** The target of CONNECT may hold an internationalised name in UTF-8: it is folded, never forwarded. */
const AUTHORITY = new Uint8Array(TARGET);
for (let code = 0x80; code < 0x100; code++) AUTHORITY[code] = 1;

/** True for `token` (RFC 9110 §5.6.2); false for the empty string. */
export function isToken(text: string): boolean {
  return text.length > 0 && all(text, TOKEN, 0, text.length);
}

/** True when every character may stand in a field value; an empty value is one. */
export function isFieldValue(text: string): boolean {
  return all(text, FIELD_VALUE, 0, text.length);
}

/** True when every character may stand in a request target. */
export function isTargetText(text: string): boolean {
  return text.length > 0 && all(text, TARGET, 0, text.length);
}

/** True when every character may stand in the target of CONNECT. */
export function isAuthorityText(text: string): boolean {
  return text.length > 0 && all(text, AUTHORITY, 0, text.length);
}

/** Compares ASCII text to a lower-case word without making a string. */
export function equalsIgnoringCase(text: string, lower: string): boolean {
  if (text.length !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    let code = text.charCodeAt(i);
    if (code >= 0x41 && code <= 0x5a) code |= 0x20;
    if (code !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** The same for a part of a longer text. */
export function equalsAt(text: string, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    let code = text.charCodeAt(start + i);
    if (code >= 0x41 && code <= 0x5a) code |= 0x20;
    if (code !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** Members of a comma-separated field, trimmed, empty ones left out (RFC 9110 §5.6.1). */
export function listMembers(value: string): string[] {
  return value
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
}

function all(text: string, table: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (table[text.charCodeAt(i)] !== 1) return false;
  return true;
}

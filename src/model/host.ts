import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

declare const hostBrand: unique symbol;

/**
 * A host in its one canonical form: lower-case A-labels without a trailing dot, dotted-decimal IPv4, or compressed IPv6
 * without brackets. The same value is used for matching, dialling, SNI, certificates and the record (WIRE.md §1).
 */
export interface Host {
  readonly text: string;
  readonly kind: 'name' | 'ipv4' | 'ipv6';
  readonly [hostBrand]: true;
}

const MAX_NAME = 253;
const MAX_LABEL = 63;

/**
 * Parses a host as it may stand in an authority: a name, an IPv4 address in any of its costumes, or `[IPv6]`.
 * Returns null when it is malformed; never throws. Non-ASCII names are folded by UTS 46 (RFC 5891).
 */
export function parseHost(text: string): Host | null {
  if (text.startsWith('[')) {
    return text.endsWith(']') ? canonicalIPv6(text.slice(1, -1)) : null;
  }
  const ascii = toASCII(text);
  if (ascii === null) return null;
  const name = ascii.endsWith('.') ? ascii.slice(0, -1) : ascii;
  if (!isName(name)) return null;
  if (!looksNumeric(name)) return mint(name, 'name');
  const address = foldIPv4(name);
  return address === null ? null : mint(address, 'ipv4');
}

/** Parses an address as written in configuration: IPv6 without brackets, IPv4 in dotted decimal only. */
export function parseAddress(text: string): Host | null {
  if (isIPv4(text)) return mint(text, 'ipv4');
  return canonicalIPv6(text);
}

/** The host as it stands in a URL or `Host` field: IPv6 in brackets (RFC 3986 §3.2.2). */
export function uriHost(host: Host): string {
  return host.kind === 'ipv6' ? `[${host.text}]` : host.text;
}

/** The 4 or 16 bytes of a host that is an address, in network order. Throws for a name. */
export function addressBytes(host: Host): Buffer {
  if (host.kind === 'name') throw new Error('a name has no bytes of an address');
  if (host.kind === 'ipv4') return Buffer.from(host.text.split('.').map(Number));
  const [head = '', tail] = host.text.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]));
}

function mint(text: string, kind: Host['kind']): Host {
  return { text, kind } as Host;
}

function toASCII(text: string): string | null {
  let ascii = true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) ascii = false;
    else if (!isHostCharacter(code)) return null;
  }
  if (ascii) {
    const lower = text.toLowerCase();
    // An A-label that decodes to nothing, or not back to itself, is a name that parsers disagree on (RFC 5891 §4.4, §5.4).
    return /(?:^|\.)xn--/.test(lower) && domainToASCII(lower) !== lower ? null : lower;
  }
  // Folding makes ASCII out of look-alikes (a Greek question mark is a semicolon): the result is held to the same characters.
  const folded = domainToASCII(text);
  return /^[a-z0-9._-]+$/.test(folded) ? folded : null;
}

/** Letters, digits, hyphen, dot and (accepted, since real names have it) underscore. */
function isHostCharacter(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x5f
  );
}

function isName(name: string): boolean {
  if (name.length === 0 || name.length > MAX_NAME) return false;
  let start = 0;
  for (;;) {
    const dot = name.indexOf('.', start);
    const end = dot === -1 ? name.length : dot;
    if (end === start || end - start > MAX_LABEL) return false;
    if (dot === -1) return true;
    start = dot + 1;
  }
}

/** WHATWG URL §3.5 "ends in a number": such a host is an IPv4 address or malformed, never a name. */
function looksNumeric(name: string): boolean {
  const last = name.slice(name.lastIndexOf('.') + 1);
  return /^(?:[0-9]+|0x[0-9a-f]*)$/.test(last);
}

/** Folds decimal, octal, hexadecimal and short forms to dotted decimal, as inet_aton(3) would read them. */
function foldIPv4(text: string): string | null {
  const parts = text.split('.');
  if (parts.length > 4) return null;
  const numbers: number[] = [];
  for (const part of parts) {
    const value = parseNumber(part);
    if (value === null) return null;
    numbers.push(value);
  }
  const last = numbers.pop() ?? 0;
  if (numbers.some((value) => value > 255) || last >= 256 ** (4 - numbers.length)) return null;
  const value = numbers.reduce((sum, part, index) => sum + part * 256 ** (3 - index), last);
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

function parseNumber(part: string): number | null {
  if (/^0x[0-9a-f]*$/.test(part)) return part === '0x' ? 0 : Number.parseInt(part, 16);
  if (/^0[0-7]+$/.test(part)) return Number.parseInt(part, 8);
  return /^(?:0|[1-9][0-9]*)$/.test(part) ? Number.parseInt(part, 10) : null;
}

function canonicalIPv6(text: string): Host | null {
  if (text.includes('%') || !isIPv6(text)) return null;
  const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped === null) return mint(canonical, 'ipv6');
  const high = Number.parseInt(mapped[1] ?? '', 16);
  const low = Number.parseInt(mapped[2] ?? '', 16);
  return mint([high >> 8, high & 255, low >> 8, low & 255].join('.'), 'ipv4');
}

import { Http1Error } from './error.ts';
import { isMethod } from '../model/method.ts';
import { Fields } from './fields.ts';
import {
  FIELD_VALUE,
  TOKEN,
  equalsAt,
  equalsIgnoringCase,
  isFieldValue,
  isAuthorityText,
  isTargetText,
  listMembers,
} from './grammar.ts';

/** Body framings that are not a length in bytes. */
export const CHUNKED = -1;
export const UNTIL_CLOSE = -2;

/** Body length in bytes, or CHUNKED, or UNTIL_CLOSE (RFC 9112 §6). */
export type Framing = number;

export interface RequestHead {
  readonly method: string;
  /** Request target as sent. */
  readonly target: string;
  readonly minor: 0 | 1;
  readonly fields: Fields;
  readonly framing: Framing;
  /** Value of the one `Host` field; null where HTTP/1.0 left it out. */
  readonly host: string | null;
  /** The connection may carry another request afterwards. */
  readonly keepAlive: boolean;
  readonly expect: string | null;
  readonly upgrade: string | null;
  /** Every `Via`, joined; null where there is none. */
  readonly via: string | null;
  /** Values of `Proxy-Authorization`. */
  readonly credentials: readonly string[];
  /** Names that `Connection` lists, in lower case. */
  readonly connection: readonly string[];
}

export interface ResponseHead {
  readonly status: number;
  readonly phrase: string;
  readonly minor: 0 | 1;
  readonly fields: Fields;
  readonly framing: Framing;
  /** The length the fields declare: of the body that HEAD and 304 leave out; null where none is declared. */
  readonly declared: Framing | null;
  readonly keepAlive: boolean;
  readonly connection: readonly string[];
}

const MAX_FIELDS = 200;
const NO_NAMES: readonly string[] = [];
const NO_OFFSETS: readonly number[] = [];
/** Where fields are noted while a head is read: a list that grew with each head was a tenth of all garbage. */
const OFFSETS: number[] = Array.from({ length: MAX_FIELDS * 4 }, () => 0);
const STATUS_LINE = 'HTTP/1.x 200'.length;

/** What framing and connection handling need from the field lines, gathered in one pass. */
interface Noted {
  at: readonly number[];
  host: string | null;
  hosts: number;
  length: string | null;
  lengths: number;
  coding: string | null;
  codings: number;
  connection: string | null;
  expect: string | null;
  upgrade: string | null;
  via: string | null;
  credentials: readonly string[];
}

/** Parses a request head without its final blank line. Throws Http1Error on anything RFC 9112 does not spell out. */
export function parseRequestHead(text: string): RequestHead {
  const end = lineEnd(text, 0);
  const first = text.indexOf(' ');
  const second = first === -1 ? -1 : text.indexOf(' ', first + 1);
  if (second === -1 || second > end) throw new Http1Error('the request line has not three parts');
  const method = text.slice(0, first);
  if (!isMethod(method)) throw new Http1Error('the method is not one the gate carries');
  const target = text.slice(first + 1, second);
  if (!(method === 'CONNECT' ? isAuthorityText(target) : isTargetText(target)))
    throw new Http1Error('the request target holds a character that is not allowed');
  const minor = parseVersion(text.slice(second + 1, end));
  const noted = parseFields(text, end);
  if (noted.hosts > 1) throw new Http1Error('more than one Host field');
  if (noted.hosts === 0 && minor === 1) throw new Http1Error('no Host field');
  const connection = noted.connection === null ? NO_NAMES : connectionNames(noted.connection);
  return {
    method,
    target,
    minor,
    fields: new Fields(text, noted.at),
    framing: requestFraming(noted, minor),
    host: noted.host,
    keepAlive: persists(connection, minor),
    expect: noted.expect,
    upgrade: noted.upgrade,
    via: noted.via,
    credentials: noted.credentials,
    connection,
  };
}

/** Parses a response head without its final blank line; `method` is the request's, for it decides the framing. */
export function parseResponseHead(text: string, method: string): ResponseHead {
  const end = lineEnd(text, 0);
  const minor = text.charCodeAt(7) === 0x31 ? 1 : 0;
  const status = parseStatus(text, end);
  const phrase = end <= STATUS_LINE + 1 ? '' : text.slice(STATUS_LINE + 1, end);
  if (!isFieldValue(phrase)) throw new Http1Error('the reason phrase holds a control character');
  const noted = parseFields(text, end);
  const connection = noted.connection === null ? NO_NAMES : connectionNames(noted.connection);
  const declared = declaredFraming(noted);
  const bodiless = method === 'HEAD' || status < 200 || status === 204 || status === 304;
  const framing = bodiless ? 0 : (declared ?? UNTIL_CLOSE);
  const keepAlive = framing !== UNTIL_CLOSE && persists(connection, minor);
  return { status, phrase, minor, fields: new Fields(text, noted.at), framing, declared, keepAlive, connection };
}

/** Field lines without a start line, and what of them decides how a message is handled. */
export interface FieldBlock {
  readonly fields: Fields;
  /** The body length they declare; null where they declare none. */
  readonly length: number | null;
  readonly host: string | null;
  readonly expect: string | null;
  readonly via: string | null;
  readonly credentials: readonly string[];
}

/** Parses lines that each follow a CRLF, as they are made of the fields of HTTP/2. Throws Http1Error. */
export function parseFieldBlock(text: string): FieldBlock {
  const noted = parseFields(text, 0);
  if (noted.hosts > 1) throw new Http1Error('more than one Host field');
  const { host, expect, via, credentials } = noted;
  return { fields: new Fields(text, noted.at), length: declaredFraming(noted), host, expect, via, credentials };
}

/** Parses trailer lines (RFC 9112 §7.1.2) with the same grammar as header lines. */
export function parseTrailers(text: string): Fields {
  const block = `\r\n${text}`;
  return new Fields(block, parseFields(block, 0).at);
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\r\n', from);
  return end === -1 ? text.length : end;
}

function parseVersion(text: string): 0 | 1 {
  if (text === 'HTTP/1.1') return 1;
  if (text === 'HTTP/1.0') return 0;
  if (/^HTTP\/[0-9]\.[0-9]$/.test(text)) throw new Http1Error('the gate speaks HTTP/1.0 and HTTP/1.1 here', 505);
  throw new Http1Error('the HTTP version is malformed');
}

/** `HTTP/1.x SP 3DIGIT [ SP phrase ]` (RFC 9112 §4), read by its places: every answer has one. */
function parseStatus(text: string, end: number): number {
  const minor = text.charCodeAt(7);
  const hundreds = text.charCodeAt(9) - 0x30;
  const tens = text.charCodeAt(10) - 0x30;
  const ones = text.charCodeAt(11) - 0x30;
  const well =
    end >= STATUS_LINE &&
    text.startsWith('HTTP/1.') &&
    (minor === 0x30 || minor === 0x31) &&
    text.charCodeAt(8) === 0x20 &&
    hundreds >= 1 &&
    hundreds <= 5 &&
    isDigit(tens) &&
    isDigit(ones) &&
    (end === STATUS_LINE || text.charCodeAt(STATUS_LINE) === 0x20);
  if (!well) throw new Http1Error('the status line is malformed');
  return hundreds * 100 + tens * 10 + ones;
}

function isDigit(value: number): boolean {
  return value >= 0 && value <= 9;
}

/** Checks and locates the field lines that follow `from`, where a CRLF stands; one pass over the characters. */
function parseFields(text: string, from: number): Noted {
  const noted: Noted = {
    at: NO_OFFSETS,
    host: null,
    hosts: 0,
    length: null,
    lengths: 0,
    coding: null,
    codings: 0,
    connection: null,
    expect: null,
    upgrade: null,
    via: null,
    credentials: NO_NAMES,
  };
  const length = text.length;
  let start = from + 2;
  let count = 0;
  while (start < length) {
    if (count >= OFFSETS.length) throw new Http1Error(`more than ${MAX_FIELDS} header fields`, 431);
    let colon = start;
    // The bounds are checked first: a look-up at NaN, past the end, makes every look-up of the loop a slow one.
    while (colon < length && TOKEN[text.charCodeAt(colon)] === 1) colon++;
    if (colon === length || text.charCodeAt(colon) !== 0x3a) throw new Http1Error(badName(text, start, colon));
    if (colon === start) throw new Http1Error('a header line without a name');
    let end = colon + 1;
    while (end < length && FIELD_VALUE[text.charCodeAt(end)] === 1) end++;
    if (end < length && !text.startsWith('\r\n', end)) throw new Http1Error('a header value holds a control character');
    let valueStart = colon + 1;
    let valueEnd = end;
    while (valueStart < valueEnd && isBlank(text.charCodeAt(valueStart))) valueStart++;
    while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--;
    OFFSETS[count++] = start;
    OFFSETS[count++] = colon;
    OFFSETS[count++] = valueStart;
    OFFSETS[count++] = valueEnd;
    note(noted, text, start, colon, valueStart, valueEnd);
    start = end + 2;
  }
  noted.at = OFFSETS.slice(0, count);
  return noted;
}

function badName(text: string, start: number, end: number): string {
  if (end === start && end < text.length && isBlank(text.charCodeAt(start))) return 'a folded header line';
  if (end >= text.length || text.charCodeAt(end) === 0x0d) return 'a header line without a colon';
  return 'a header name is not a token';
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Only names of these lengths matter here: the switch keeps the common field at one integer comparison. */
function note(noted: Noted, text: string, start: number, colon: number, from: number, to: number): void {
  switch (colon - start) {
    case 3:
      if (equalsAt(text, start, colon, 'via')) noted.via = joined(noted.via, text.slice(from, to));
      return;
    case 4:
      if (!equalsAt(text, start, colon, 'host')) return;
      noted.host = text.slice(from, to);
      noted.hosts++;
      return;
    case 6:
      if (equalsAt(text, start, colon, 'expect')) noted.expect = joined(noted.expect, text.slice(from, to));
      return;
    case 7:
      if (equalsAt(text, start, colon, 'upgrade')) noted.upgrade = joined(noted.upgrade, text.slice(from, to));
      return;
    case 10:
      if (equalsAt(text, start, colon, 'connection')) noted.connection = joined(noted.connection, text.slice(from, to));
      return;
    case 14:
      if (!equalsAt(text, start, colon, 'content-length')) return;
      noted.length = text.slice(from, to);
      noted.lengths++;
      return;
    case 17:
      if (!equalsAt(text, start, colon, 'transfer-encoding')) return;
      noted.coding = text.slice(from, to);
      noted.codings++;
      return;
    case 19:
      if (equalsAt(text, start, colon, 'proxy-authorization'))
        noted.credentials = [...noted.credentials, text.slice(from, to)];
  }
}

function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`;
}

/** RFC 9112 §6.1, §6.3. Whatever two parsers have ever read differently is refused, also where the RFC would repair it. */
function declaredFraming(noted: Noted): Framing | null {
  if (noted.codings > 0) {
    if (noted.lengths > 0) throw new Http1Error('both Content-Length and Transfer-Encoding');
    if (noted.codings > 1 || !equalsIgnoringCase(noted.coding ?? '', 'chunked')) {
      throw new Http1Error('a Transfer-Encoding other than one "chunked"');
    }
    return CHUNKED;
  }
  if (noted.lengths === 0) return null;
  if (noted.lengths > 1) throw new Http1Error('more than one Content-Length field');
  const text = noted.length ?? '';
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(text)) throw new Http1Error('the Content-Length is not a plain number');
  return Number(text);
}

function requestFraming(noted: Noted, minor: 0 | 1): Framing {
  const framing = declaredFraming(noted);
  if (framing === CHUNKED && minor === 0) throw new Http1Error('Transfer-Encoding in an HTTP/1.0 request');
  return framing ?? 0;
}

const KEEP_ALIVE: readonly string[] = ['keep-alive'];
const CLOSE: readonly string[] = ['close'];

function connectionNames(value: string): readonly string[] {
  if (equalsIgnoringCase(value, 'keep-alive')) return KEEP_ALIVE;
  if (equalsIgnoringCase(value, 'close')) return CLOSE;
  return listMembers(value).map((member) => member.toLowerCase());
}

function persists(connection: readonly string[], minor: 0 | 1): boolean {
  if (connection.includes('close')) return false;
  return minor === 1 || connection.includes('keep-alive');
}

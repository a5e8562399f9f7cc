import type { OutgoingHttpHeaders } from 'node:http2';
import { Http1Error } from '../../http1/error.ts';
import { Fields, type OutgoingFields } from '../../http1/fields.ts';
import { isFieldValue, isToken } from '../../http1/grammar.ts';
import { UNTIL_CLOSE, parseFieldBlock, type FieldBlock, type ResponseHead } from '../../http1/head.ts';

/** Header fields of one HTTP/2 message: the pseudo-header fields, and the rest in the one form the gate judges. */
export interface Http2Head {
  readonly pseudo: ReadonlyMap<string, string>;
  readonly block: FieldBlock;
}

/** Fields that would mean another thing on the next hop; HTTP/2 has none of them (RFC 9113 §8.2.2). */
const CONNECTION_SPECIFIC = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/**
 * Takes the name, value pairs of a HEADERS frame. They are held to the grammar of HTTP/1, for that is where they may go
 * next: a value with CR or LF would be another field there, and an upper-case name is malformed here. Throws Http1Error.
 */
export function readHttp2Head(pairs: readonly string[]): Http2Head {
  const pseudo = new Map<string, string>();
  const cookies: string[] = [];
  let text = '';
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i] as string;
    const value = (pairs[i + 1] as string).trim();
    if (!isFieldValue(value)) throw new Http1Error('a header value holds a control character');
    if (name.startsWith(':')) {
      if (text !== '' || pseudo.has(name)) throw new Http1Error('a pseudo-header field out of place');
      pseudo.set(name, value);
      continue;
    }
    if (!isToken(name) || name !== name.toLowerCase()) throw new Http1Error('a header name is not a lower-case token');
    if (CONNECTION_SPECIFIC.has(name) || (name === 'te' && value.toLowerCase() !== 'trailers'))
      throw new Http1Error('a connection-specific header field');
    // RFC 9113 §8.2.3: crumbs are one field everywhere else, and are judged as one.
    if (name === 'cookie') cookies.push(value);
    else text += `\r\n${name}: ${value}`;
  }
  if (cookies.length > 0) text += `\r\ncookie: ${cookies.join('; ')}`;
  return { pseudo, block: parseFieldBlock(text) };
}

/** The head of an answer, as the path of a request knows heads. */
export function responseHeadOf(pairs: readonly string[], method: string, ended: boolean): ResponseHead {
  const { pseudo, block } = readHttp2Head(pairs);
  const text = pseudo.get(':status') ?? '';
  if (!/^[1-5][0-9]{2}$/.test(text) || pseudo.size !== 1) throw new Http1Error('the status of an answer is malformed');
  const status = Number(text);
  const bodiless = ended || method === 'HEAD' || status < 200 || status === 204 || status === 304;
  const declared = block.length;
  return {
    status,
    phrase: '',
    minor: 1,
    fields: block.fields,
    framing: bodiless ? 0 : (declared ?? UNTIL_CLOSE),
    declared,
    keepAlive: true,
    connection: NO_NAMES,
  };
}

const NO_NAMES: readonly string[] = [];

/** Trailers; pseudo-header fields in them are malformed (RFC 9113 §8.1). */
export function trailersOf(pairs: readonly string[]): Fields {
  if (pairs.length === 0) return Fields.NONE;
  const { pseudo, block } = readHttp2Head(pairs);
  if (pseudo.size > 0) throw new Http1Error('a pseudo-header field in trailers');
  return block.fields;
}

/** Fields node:http2 takes one value of (its `kSingleValueHeaders`) and throws for a second. */
const SINGLE = new Set(
  `access-control-allow-credentials access-control-max-age access-control-request-method age authorization content-length content-location content-md5
  content-range content-type date dnt etag expires from
  host if-modified-since if-range if-unmodified-since last-modified location max-forwards
  range referer retry-after tk upgrade-insecure-requests user-agent x-content-type-options`.split(/\s+/),
);
/** Those of them that are lists, so that two lines are one with a comma (RFC 9110 §5.3). */
const LISTS = new Set(['content-encoding', 'content-language', 'if-match', 'if-none-match']);

/** An object for headers: without a prototype, so that a name is never one of its own. */
export function headersObject(): OutgoingHttpHeaders {
  return Object.create(null) as OutgoingHttpHeaders;
}

/**
 * Adds fields to headers, lists for names that come more than once. The same said
 * twice is said once; two answers to a question that has one are malformed, for parsers take either. Throws Http1Error.
 */
export function addFields(pairs: readonly string[], headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i] as string;
    const value = pairs[i + 1] as string;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else if (LISTS.has(name)) headers[name] = `${before}, ${value}`;
    else if (!SINGLE.has(name)) headers[name] = [String(before), value];
    else if (before !== value) throw new Http1Error(`two values of ${name}, which has one`);
  }
  return headers;
}

/** The same for fields that the gate writes, behind those that `headers` holds already. */
export function outgoingHeaders(fields: OutgoingFields, headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return addFields(fields.pairs(), headers);
}

import { isFieldValue, isTargetText, isToken } from './grammar.ts';
import { CHUNKED, UNTIL_CLOSE, type FieldLines, type Framing } from './head.ts';

/** Ends a chunked body that has no trailers. */
export const LAST_CHUNK: Buffer = Buffer.from('0\r\n\r\n', 'latin1');

/** Field lines of a head, framing last. CR, LF and NUL in a value would be a second message: a fault, never sent. */
export function headText(startLine: string, fields: FieldLines, framing: Framing | null): string {
  let text = startLine;
  for (let i = 0; i < fields.length; i += 2) {
    text += `\r\n${fields[i] as string}: ${fields[i + 1] as string}`;
  }
  if (framing === CHUNKED) text += '\r\nTransfer-Encoding: chunked';
  else if (framing !== null && framing !== UNTIL_CLOSE) text += `\r\nContent-Length: ${framing}`;
  return `${text}\r\n\r\n`;
}

/** Checks fields that the gate itself adds, before they join those a reader has already checked. */
export function safeField(name: string, value: string): [string, string] {
  if (!isToken(name) || !isFieldValue(value)) throw new Error(`the gate would write an unsafe header field: ${name}`);
  return [name, value];
}

export function requestLine(method: string, target: string): string {
  if (!isTargetText(target)) throw new Error('the gate would write an unsafe request target');
  return `${method} ${target} HTTP/1.1`;
}

/** Head and the beginning of a body in one buffer: one write, one TLS record. */
export function headWith(text: string, body: Buffer | null): Buffer {
  const size = body === null ? 0 : body.length;
  const bytes = Buffer.allocUnsafe(text.length + size);
  bytes.write(text, 0, 'latin1');
  if (body !== null) body.copy(bytes, text.length);
  return bytes;
}

/** The line before a chunk's data; the data is followed by CRLF. */
export function chunkLine(size: number): string {
  return `${size.toString(16)}\r\n`;
}

/** A whole chunk in one buffer. */
export function chunk(bytes: Buffer): Buffer {
  const line = chunkLine(bytes.length);
  const whole = Buffer.allocUnsafe(line.length + bytes.length + 2);
  whole.write(line, 0, 'latin1');
  bytes.copy(whole, line.length);
  whole.write('\r\n', line.length + bytes.length, 'latin1');
  return whole;
}

/** The end of a chunked body with trailers. */
export function lastChunk(trailers: FieldLines): Buffer {
  if (trailers.length === 0) return LAST_CHUNK;
  return Buffer.from(headText('0', trailers, null), 'latin1');
}

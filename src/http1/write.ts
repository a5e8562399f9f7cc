import { isTargetText } from './grammar.ts';
import { CHUNKED, UNTIL_CLOSE, type Framing } from './head.ts';

/** Ends a chunked body that has no trailers. */
export const LAST_CHUNK: Buffer = Buffer.from('0\r\n\r\n', 'latin1');

/** A head: start line, field lines (each with a CRLF before it), framing last. */
export function headText(startLine: string, fieldText: string, framing: Framing | null): string {
  if (framing === CHUNKED) return `${startLine}${fieldText}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  if (framing === null || framing === UNTIL_CLOSE) return `${startLine}${fieldText}\r\n\r\n`;
  return `${startLine}${fieldText}\r\nContent-Length: ${framing}\r\n\r\n`;
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

/** The end of a chunked body, with the trailer lines that are passed on. */
export function lastChunk(trailerText: string): Buffer {
  return trailerText === '' ? LAST_CHUNK : Buffer.from(`0${trailerText}\r\n\r\n`, 'latin1');
}

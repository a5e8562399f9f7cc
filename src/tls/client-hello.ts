/** What the first flight of a TLS client says, without answering it (RFC 8446 §4.1.2). */
export type Hello =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly detail: string }
  /** `serverName` as sent (RFC 6066 §3), the outer one where the client encrypts another (ECH); null where there is none. */
  | { readonly kind: 'hello'; readonly serverName: string | null };

/** Longest first flight that is read: post-quantum key shares make some 2 KiB, 16 KiB is one record. */
export const MAX_HELLO: number = 16 * 1024;
const RECORD_HEADER = 5;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;

/**
 * Reads the ClientHello at the start of `bytes`, however it is split over records; segments are the caller's to join. Pure:
 * no byte is consumed, none is answered.
 */
export function readClientHello(bytes: Buffer): Hello {
  const flight = handshakeBytes(bytes);
  if (!Buffer.isBuffer(flight)) return flight;
  const reader = new Reader(flight);
  try {
    if (reader.uint(1) !== CLIENT_HELLO) return malformed('the first handshake message is not a ClientHello');
    return { kind: 'hello', serverName: serverNameOf(new Reader(reader.take(reader.uint(3)))) };
  } catch (error) {
    if (error instanceof Short) return malformed('a length in the ClientHello does not fit');
    throw error;
  }
}

function malformed(detail: string): Hello {
  return { kind: 'malformed', detail };
}

/** The first handshake message whole, its records joined. */
function handshakeBytes(bytes: Buffer): Buffer | Hello {
  const pieces: Buffer[] = [];
  let size = 0;
  let needed: number | null = null;
  for (let at = 0; ;) {
    if (needed === null && size >= 4) needed = 4 + Buffer.concat(pieces).readUIntBE(1, 3);
    if (needed !== null && needed > MAX_HELLO) return malformed('the ClientHello is too long');
    if (needed !== null && size >= needed) return Buffer.concat(pieces).subarray(0, needed);
    if (bytes.length - at < RECORD_HEADER) return incomplete(bytes, at);
    const length = bytes.readUInt16BE(at + 3);
    if (bytes[at] !== HANDSHAKE || bytes[at + 1] !== 3) return malformed('it is not a TLS handshake record');
    if (length === 0 || length > 16_384) return malformed('a record has an impossible length');
    if (bytes.length - at < RECORD_HEADER + length) return incomplete(bytes, at);
    pieces.push(bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length));
    size += length;
    at += RECORD_HEADER + length;
  }
}

/** More is needed, unless what is here can be no beginning of a record already. */
function incomplete(bytes: Buffer, at: number): Hello {
  if (bytes.length > MAX_HELLO) return malformed('the ClientHello is too long');
  const known = at < bytes.length && bytes[at] !== HANDSHAKE;
  return known ? malformed('it is not a TLS handshake record') : { kind: 'incomplete' };
}

function serverNameOf(hello: Reader): string | null {
  hello.take(2 + 32);
  hello.take(hello.uint(1));
  hello.take(hello.uint(2));
  hello.take(hello.uint(1));
  if (hello.left === 0) return null;
  const extensions = new Reader(hello.take(hello.uint(2)));
  let name: string | null = null;
  while (extensions.left > 0) {
    const type = extensions.uint(2);
    const content = new Reader(extensions.take(extensions.uint(2)));
    if (type !== SERVER_NAME) continue;
    const list = new Reader(content.take(content.uint(2)));
    // RFC 6066 §3: one name of each type; a second one is for another parser than ours to believe.
    if (name !== null || list.uint(1) !== HOST_NAME) throw new Short();
    name = list.take(list.uint(2)).toString('latin1');
    if (list.left > 0 || content.left > 0) throw new Short();
  }
  return name;
}

class Short extends Error {}

/** Takes big-endian numbers and runs of bytes off a buffer. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  uint(size: number): number {
    return this.take(size).readUIntBE(0, size);
  }

  take(size: number): Buffer {
    if (size > this.left) throw new Short();
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }
}

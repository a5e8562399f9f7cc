import { connect } from 'node:tls';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { MAX_HELLO, readClientHello } from '../../../src/tls/client-hello.ts';

/** What Node's own TLS client sends first. */
function helloOf(servername: string | null): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (bytes: Buffer) => {
        resolve(bytes);
        setImmediate(() => socket.destroy());
      },
    });
    const socket = connect({ socket: wire, ...(servername === null ? {} : { servername }) });
    socket.on('error', () => undefined);
  });
}

/** The same handshake bytes in records of `size` bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const body = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const piece = body.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, piece.length >> 8, piece.length & 255]), piece);
  }
  return Buffer.concat(records);
}

let hello: Buffer;
beforeAll(async () => void (hello = await helloOf('api.example.com')));

describe('readClientHello()', () => {
  it('finds the server name, and its absence', async () => {
    expect(readClientHello(hello)).toEqual({ kind: 'hello', serverName: 'api.example.com' });
    expect(readClientHello(await helloOf(null))).toEqual({ kind: 'hello', serverName: null });
  });

  it('reads it over any split into records, and whatever follows it', () => {
    for (const size of [1, 2, 3, 7, 100, 16_384])
      expect(readClientHello(Buffer.concat([inRecords(hello, size), Buffer.from('more')]))).toEqual({
        kind: 'hello',
        serverName: 'api.example.com',
      });
  });

  it('asks for more as long as it is a beginning', () => {
    for (let length = 0; length < hello.length; length++)
      expect(readClientHello(hello.subarray(0, length))).toEqual({ kind: 'incomplete' });
  });

  it.each<[string, Buffer]>([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['an alert record', Buffer.from([21, 3, 1, 0, 2, 2, 40])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0, 1])],
    ['a record that is too long', Buffer.from([22, 3, 1, 255, 255, 1])],
    ['another handshake message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['a hello that is too long', Buffer.from([22, 3, 1, 0, 4, 1, 255, 255, 255])],
    ['lengths that do not fit', Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 3])],
  ])('%s is malformed', (_name, bytes) => {
    expect(readClientHello(bytes).kind).toBe('malformed');
  });

  it('two server names are malformed: two parsers might read different ones', () => {
    const at = hello.indexOf('api.example.com') - 9;
    const extension = hello.subarray(at, at + 9 + 'api.example.com'.length);
    const body = Buffer.concat([hello.subarray(9), extension]);
    // Lengths of the extensions, of the message and of the record grow by one extension.
    const grown = Buffer.concat([Buffer.from([22, 3, 1, 0, 0, 1, 0, 0, 0]), body]);
    grown.writeUInt16BE(body.length + 4, 3);
    grown.writeUIntBE(body.length, 6, 3);
    const ciphers = 9 + 34 + 1 + (hello[9 + 34] as number);
    const lengthAt =
      ciphers + 2 + hello.readUInt16BE(ciphers) + 1 + (hello[ciphers + 2 + hello.readUInt16BE(ciphers)] as number);
    grown.writeUInt16BE(hello.readUInt16BE(lengthAt) + extension.length, lengthAt);
    expect(readClientHello(grown).kind).toBe('malformed');
  });

  it('never throws, never asks for more than its bound, and never changes its mind (fuzz)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 8 }),
        fc.integer({ min: 1, max: 500 }),
        (changes, size) => {
          const bytes = Buffer.from(inRecords(hello, size));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          const whole = readClientHello(bytes);
          const longer = readClientHello(Buffer.concat([bytes, Buffer.alloc(MAX_HELLO + 1, 22)]));
          expect(longer.kind).not.toBe('incomplete');
          if (whole.kind !== 'incomplete') expect(longer).toEqual(whole);
        },
      ),
      { numRuns: Number(process.env['FUZZ_RUNS'] ?? 3000) },
    );
  });
});

import { connect as connectTls, type TLSSocket } from 'node:tls';
import { openTunnel } from './client.ts';
import type { TestGate } from './gate.ts';
import { until } from './until.ts';

export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** A frame (RFC 9113 §4.1). */
export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header block of literals without indexing or Huffman coding (RFC 7541 §6.2.2): bytes as they are given. */
export function block(fields: ReadonlyArray<readonly [string, string]>): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, 'latin1');
    return Buffer.concat([integer(bytes.length), bytes]);
  };
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

/** An integer with a prefix of seven bits (RFC 7541 §5.1). */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** HTTP/2 by hand, inside a tunnel: for what no client library would send. */
export class FrameClient {
  readonly socket: TLSSocket;
  readonly frames: Frame[] = [];
  closed = false;
  #bytes = Buffer.alloc(0);

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => (this.closed = true));
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    this.send(frame(SETTINGS, 0, 0));
  }

  send(...frames: readonly Buffer[]): this {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
    return this;
  }

  /** Error code of the first GOAWAY; null while there is none. */
  get goaway(): number | null {
    return this.frames.find((each) => each.type === GOAWAY)?.payload.readUInt32BE(4) ?? null;
  }

  /** How a stream ended: the code it was reset with, or that its answer is complete. */
  ending(stream: number): number | 'answered' | null {
    const own = this.frames.filter((each) => each.stream === stream);
    const reset = own.find((each) => each.type === RST_STREAM);
    if (own.some((each) => (each.type === DATA || each.type === HEADERS) && (each.flags & END_STREAM) !== 0))
      return 'answered';
    return reset?.payload.readUInt32BE(0) ?? null;
  }

  /** Body of an answer so far. */
  text(stream: number): string {
    return Buffer.concat(
      this.frames.filter((each) => each.stream === stream && each.type === DATA).map((each) => each.payload),
    ).toString();
  }

  /** Waits until the gate has ended the stream, or the connection. */
  async ended(stream: number): Promise<number | 'answered' | 'connection'> {
    await until(() => this.ending(stream) !== null || this.closed || this.goaway !== null, 'the stream to end');
    return this.ending(stream) ?? 'connection';
  }

  close(): void {
    this.socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    while (this.#bytes.length >= 9) {
      const length = this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < 9 + length) return;
      this.frames.push({
        type: this.#bytes.readUInt8(3),
        flags: this.#bytes.readUInt8(4),
        stream: this.#bytes.readUInt32BE(5) & 0x7fffffff,
        payload: this.#bytes.subarray(9, 9 + length),
      });
      this.#bytes = this.#bytes.subarray(9 + length);
    }
  }
}

export async function openFrames(gate: TestGate, authority = 'api.test:443'): Promise<FrameClient> {
  const tunnel = await openTunnel(gate, authority);
  tunnel.socket.removeAllListeners('data');
  const host = authority.replace(/:\d+$/, '');
  const tls = connectTls({ socket: tunnel.socket, ca: gate.ca, servername: host, ALPNProtocols: ['h2'] });
  await new Promise<void>((resolve, reject) => tls.once('secureConnect', resolve).once('error', reject));
  return new FrameClient(tls);
}

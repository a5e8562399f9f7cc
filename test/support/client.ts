import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { BASIC, type TestGate } from './gate.ts';
import { until } from './until.ts';

/** A socket with what came over it so far, for tests that speak bytes. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  bytes = 0;
  ended = false;
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.bytes += bytes.length;
      if (this.received.length < 4_000_000) this.received += bytes.toString('latin1');
    });
    socket.on('end', () => (this.ended = true));
    socket.on('error', () => undefined);
    socket.on('close', () => (this.closed = true));
  }

  send(text: string | Buffer): this {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    return this;
  }

  /** Waits until this much of the conversation is here. */
  async see(what: RegExp | string): Promise<string> {
    await until(
      () => (typeof what === 'string' ? this.received.includes(what) : what.test(this.received)) || this.closed,
      `${String(what)} in ${JSON.stringify(this.received.slice(0, 300))}`,
    );
    if (!(typeof what === 'string' ? this.received.includes(what) : what.test(this.received)))
      throw new Error(`closed before ${String(what)}: ${JSON.stringify(this.received.slice(0, 500))}`);
    return this.received;
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.gone();
  }

  /** Waits until the other side has closed. */
  async gone(): Promise<string> {
    await until(() => this.closed || this.ended, 'the connection to close');
    return this.received;
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.received)?.[1] ?? 0);
  }

  get reason(): string | null {
    return /^sallyport-reason: (.*)$/im.exec(this.received)?.[1]?.trim() ?? null;
  }
}

export async function dialGate(gate: TestGate): Promise<RawClient> {
  const socket = connect({ port: gate.port, host: '127.0.0.1' });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return new RawClient(socket);
}

/** A CONNECT tunnel, still without TLS. */
export async function openTunnel(
  gate: TestGate,
  authority: string,
  fields: string = `Proxy-Authorization: ${BASIC}\r\n`,
): Promise<RawClient> {
  const client = await dialGate(gate);
  client.send(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`);
  await client.see('\r\n\r\n');
  return client;
}

/** TLS inside a tunnel, the gate's leaf verified for `host`. */
export async function openTls(
  gate: TestGate,
  authority: string,
  options: { servername?: string; verify?: boolean; fields?: string } = {},
): Promise<RawClient & { tls: TLSSocket }> {
  const tunnel = await openTunnel(gate, authority, options.fields);
  if (tunnel.status !== 200) return Object.assign(tunnel, { tls: tunnel.socket as TLSSocket });
  tunnel.socket.removeAllListeners('data');
  const host = authority.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '');
  const name = options.servername ?? host;
  const tls = connectTls({
    socket: tunnel.socket,
    ca: gate.ca,
    host,
    ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
    rejectUnauthorized: options.verify ?? true,
  });
  await new Promise<void>((resolve, reject) => tls.once('secureConnect', resolve).once('error', reject));
  return Object.assign(new RawClient(tls), { tls });
}

/** One exchange inside TLS: the raw answer once it is complete or the connection closed. */
export async function ask(
  gate: TestGate,
  authority: string,
  request: string,
  options: { fields?: string } = {},
): Promise<RawClient> {
  const client = await openTls(gate, authority, options);
  client.send(request);
  await answered(client);
  return client;
}

/** Waits for a whole answer with Content-Length or chunks, or for the end. */
export async function answered(client: RawClient): Promise<RawClient> {
  await until(
    () => {
      if (client.closed || client.ended) return true;
      const end = client.received.indexOf('\r\n\r\n');
      if (end === -1) return false;
      const head = client.received.slice(0, end);
      const length = /^content-length: (\d+)$/im.exec(head)?.[1];
      if (length !== undefined)
        return client.received.length >= end + 4 + Number(length) || /^HTTP\/1\.1 (?:204|304)/.test(head);
      return /transfer-encoding: chunked/i.test(head) && client.received.endsWith('0\r\n\r\n');
    },
    `an answer, have ${JSON.stringify(client.received.slice(0, 200))}`,
  );
  return client;
}

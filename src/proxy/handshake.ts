import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import { Denial } from '../model/denial.ts';
import { parseHost, type Host } from '../model/host.ts';
import { readClientHello, type Hello } from '../tls/client-hello.ts';

/** Until the first byte in a tunnel, and until its handshake is done. Browsers open tunnels ahead of need. */
const FIRST_BYTE = 120_000;
const HANDSHAKE = 15_000;

export interface Accepted {
  /** Null when the handshake failed. */
  readonly socket: TLSSocket | null;
  readonly trouble: string;
  /** The name the client asked for where it is not the host of the tunnel. */
  readonly mismatch: string | null;
}

/** The first byte the agent sends, left unread; null when it leaves without one. */
export async function firstByte(socket: Socket): Promise<number | null> {
  return new Promise((resolve) => {
    const finish = (byte: number | null): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('end', onEnd).off('close', onEnd);
      resolve(byte);
    };
    const onData = (bytes: Buffer): void => {
      socket.pause();
      socket.unshift(bytes);
      finish(bytes[0] ?? null);
    };
    const onEnd = (): void => finish(null);
    const timer = setTimeout(onEnd, FIRST_BYTE);
    socket.on('data', onData).on('end', onEnd).on('close', onEnd);
    socket.resume();
  });
}

/** Reads the agent's ClientHello and leaves it unread; null when it leaves, or takes too long. */
export async function peekHello(socket: Socket): Promise<Hello | null> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const finish = (hello: Hello | null): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('end', onEnd).off('close', onEnd);
      socket.pause();
      if (pieces.length > 0) socket.unshift(Buffer.concat(pieces));
      resolve(hello);
    };
    const onData = (bytes: Buffer): void => {
      pieces.push(bytes);
      const hello = readClientHello(Buffer.concat(pieces));
      if (hello.kind !== 'incomplete') finish(hello);
    };
    const onEnd = (): void => finish(null);
    const timer = setTimeout(onEnd, HANDSHAKE);
    socket.on('data', onData).on('end', onEnd).on('close', onEnd);
    socket.resume();
  });
}

/** Why a hello does not belong in a tunnel to this host; null when it does. Clients of addresses send no name. */
export function contradictionOf(hello: Hello | null, host: Host): Denial | null {
  if (hello === null) return new Denial('request-malformed', 'the TLS handshake did not begin in time');
  if (hello.kind !== 'hello')
    return new Denial(
      'request-malformed',
      hello.kind === 'malformed' ? hello.detail : 'the TLS handshake is incomplete',
    );
  if (hello.serverName === null ? host.kind !== 'name' : parseHost(hello.serverName)?.text === host.text) return null;
  return new Denial('authority-mismatch', `the TLS client asked for another host than the ${host.text} of the tunnel`);
}

/**
 * Terminates the agent's TLS with a leaf for the host of the tunnel, whatever name the client asks for: upstream goes to
 * that host and no other. IP-literal clients send no name; the leaf then carries the address.
 */
export async function acceptTls(socket: Socket, host: Host, leaf: SecureContext): Promise<Accepted> {
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext: leaf,
    ALPNProtocols: ['h2', 'http/1.1'],
    requestCert: false,
    rejectUnauthorized: false,
  });
  const trouble = await new Promise<string | null>((resolve) => {
    const finish = (result: string | null): void => {
      clearTimeout(timer);
      secure.off('secure', onSecure).off('close', onClose);
      resolve(result);
    };
    const onSecure = (): void => finish(null);
    const onClose = (): void => finish('the TLS handshake was broken off; does the client trust the CA of the gate?');
    const onError = (error: Error): void =>
      finish(`the TLS handshake failed: ${(error as NodeJS.ErrnoException).code ?? error.message}`);
    const timer = setTimeout(() => finish('the TLS handshake took too long'), HANDSHAKE);
    secure.on('secure', onSecure).on('close', onClose).on('error', onError).on('_tlsError', onError);
  });
  // What tls.Server does for its own sockets: node:http2 waits for a handshake as long as this is true.
  Object.assign(secure, { secureConnecting: false });
  const mismatch = mismatchOf(secure, host);
  if (trouble === null) return { socket: secure, trouble: '', mismatch };
  secure.destroy();
  return { socket: null, trouble, mismatch };
}

function mismatchOf(secure: TLSSocket, host: Host): string | null {
  const name = requestedName(secure);
  if (name === null || parseHost(name)?.text === host.text) return null;
  return `the TLS client asked for another host than the ${host.text} of the tunnel`;
}

/** SNI as the client sent it; Node exposes it on server sockets after the handshake. */
function requestedName(secure: TLSSocket): string | null {
  const { servername } = secure as { servername?: string | false | null };
  return typeof servername === 'string' && servername !== '' ? servername : null;
}

import { connect as connectTcp, isIP, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect as connectTls,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { Denial } from '../model/denial.ts';
import { parseAddress, type Host } from '../model/host.ts';
import type { ParentProxy } from '../model/parent-proxy.ts';
import type { GuardedAddress } from '../network/guard.ts';
import type { Cancellation } from './cancellation.ts';
import type { Protocol } from './message.ts';
import { askForTunnel } from './parent.ts';
import type { Witness } from './record.ts';

export interface DialOptions {
  /** Milliseconds until TCP and TLS stand. */
  readonly timeout: number;
  readonly trust: SecureContext;
  /** Sessions of earlier connections, by target. */
  readonly sessions: Map<string, Buffer>;
  readonly cancellation: Cancellation;
  /** What TLS offers (ALPN, RFC 7301), in order of liking. */
  readonly protocols: readonly string[];
  /** The gate speaks TLS to an https target itself. False where the agent's own TLS passes through. */
  readonly secure: boolean;
  /** A parent proxy is to forward plain requests, so it is asked for no tunnel. */
  readonly forwarded: boolean;
}

export interface Dialled {
  readonly socket: Socket;
  /** Address at the other end. */
  readonly address: string;
  /** What TLS agreed on; HTTP/1.1 where nothing was said. */
  readonly protocol: Protocol;
}

const MAX_SESSIONS = 2000;

/**
 * Opens a connection to a guarded address: TCP, and TLS where the target is https, its certificate verified for the host
 * the agent named. Nothing else is ever dialled, and the address reached is compared with the addresses judged. Where the
 * way is through a parent proxy, the addresses are the parent's, and it is asked for a tunnel before TLS begins.
 * A witness is demanded: no connection is opened for a request that is not on record.
 */
export async function dial(to: GuardedAddress, _witness: Witness, options: DialOptions): Promise<Dialled> {
  if (options.cancellation.cancelled) throw new Error('aborted before connecting');
  const { target, parent } = to;
  const secure = options.secure && target.scheme === 'https';
  const attempt = new Attempt(target.authority, options);
  try {
    const transport = parent === null ? null : await openParent(to, parent, !secure, attempt, options);
    if (transport !== null && !secure)
      return { socket: transport, address: reached(transport, to), protocol: 'http/1.1' };
    const socket = secure ? openTls(to, transport, options) : connectTcp(tcpOptions(to, true));
    await attempt.ready(socket, secure ? 'secureConnect' : 'connect', target.authority);
    const protocol = (socket as TLSSocket).alpnProtocol === 'h2' ? 'h2' : 'http/1.1';
    return { socket, address: reached(transport ?? socket, to), protocol };
  } catch (error) {
    throw attempt.abandon(error);
  } finally {
    attempt.finish();
  }
}

/** One try to get through: it ends by its time, by its exchange, or by an error of the socket at hand. */
class Attempt {
  readonly #timer: NodeJS.Timeout;
  readonly #cancellation: Cancellation;
  #socket: Socket | null = null;
  #reject: ((error: Error) => void) | null = null;
  #failure: Error | null = null;

  constructor(authority: string, { timeout, cancellation }: DialOptions) {
    this.#cancellation = cancellation;
    this.#timer = setTimeout(
      () => this.#fail(new Denial('upstream-timeout', `connecting to ${authority} took too long`)),
      timeout,
    );
    cancellation.onCancel = () => this.#fail(new Error('aborted while connecting'));
  }

  /** Waits until a socket stands; `name` is who is at its other end, for messages. */
  async ready(socket: Socket, event: 'connect' | 'secureConnect', name: string): Promise<void> {
    this.#socket = socket;
    this.check();
    const onError = (error: Error): void => this.#fail(dialFailure(error, name));
    const onClose = (): void => this.#fail(dialFailure(new Error('closed while connecting'), name));
    // A socket that failed may fail again while it closes; nobody is left to hear it.
    socket.on('error', () => undefined);
    socket.on('error', onError).on('close', onClose);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#reject = reject;
        socket.once(event, () => resolve());
      });
    } finally {
      this.#reject = null;
      socket.off('error', onError).off('close', onClose);
    }
  }

  /** Throws what has failed meanwhile. */
  check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Ends the socket. Returns what was the matter: one destroyed for its time says only that it is closed. */
  abandon(error: unknown): unknown {
    this.#socket?.destroy();
    return this.#failure ?? error;
  }

  /** No longer watches the time or the exchange. */
  finish(): void {
    clearTimeout(this.#timer);
    this.#cancellation.onCancel = null;
  }

  /** What failed outside of any wait ends the socket, and with it whatever waits for that. */
  #fail(error: Error): void {
    this.#failure ??= error;
    this.#socket?.destroy();
    this.#reject?.(error);
  }
}

/** A connection to a parent proxy that leads on to the target. */
async function openParent(
  to: GuardedAddress,
  parent: ParentProxy,
  allowHalfOpen: boolean,
  attempt: Attempt,
  options: DialOptions,
): Promise<Socket> {
  const secure = parent.protocol === 'https';
  const socket = secure
    ? connectTls({ ...tcpOptions(to, false), ...identityOf(parent.host, { ...options, protocols: ['http/1.1'] }) })
    : connectTcp(tcpOptions(to, allowHalfOpen));
  await attempt.ready(socket, secure ? 'secureConnect' : 'connect', `the parent proxy ${parent.authority}`);
  reached(socket, to);
  if (!options.forwarded) await askForTunnel(socket, parent, to.target, options.timeout);
  attempt.check();
  return socket;
}

function tcpOptions(
  to: GuardedAddress,
  allowHalfOpen: boolean,
): { host: string; port: number; lookup: typeof lookup; allowHalfOpen: boolean } {
  const lookup = (
    _name: string,
    _options: object,
    done: (error: null, addresses: Array<{ address: string; family: number }>) => void,
  ): void => {
    done(
      null,
      to.addresses.map((address) => ({ address, family: isIP(address) })),
    );
  };
  // With one address there is nothing to look up; with several, Node races them (RFC 8305) over exactly this list.
  const host = to.addresses.length === 1 ? (to.addresses[0] as string) : to.target.host.text;
  return { host, port: to.port, lookup: lookup as never, allowHalfOpen };
}

function openTls(to: GuardedAddress, transport: Socket | null, options: DialOptions): TLSSocket {
  const { host, key } = to.target;
  const session = options.sessions.get(key);
  const socket = connectTls({
    ...(transport === null ? tcpOptions(to, false) : { socket: transport }),
    ...identityOf(host, options),
    ...(session === undefined ? {} : { session }),
  });
  socket.on('session', (fresh: Buffer) => {
    if (options.sessions.size >= MAX_SESSIONS) options.sessions.delete(options.sessions.keys().next().value as string);
    options.sessions.set(key, fresh);
  });
  return socket;
}

/** What TLS with a host offers, trusts and verifies. */
function identityOf(host: Host, { trust, protocols }: Pick<DialOptions, 'trust' | 'protocols'>): ConnectionOptions {
  return {
    secureContext: trust,
    minVersion: 'TLSv1.2',
    ALPNProtocols: [...protocols],
    // RFC 6066 §3: a server name is a name; an address is verified against the certificate all the same.
    servername: host.kind === 'name' ? host.text : '',
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host.text, certificate),
  };
}

/** The connected socket's own word for where it is, which must be one of the addresses judged. */
function reached(socket: Socket, to: GuardedAddress): string {
  const remote = parseAddress(socket.remoteAddress ?? '')?.text;
  if (remote !== undefined && to.addresses.includes(remote)) return remote;
  socket.destroy();
  throw new Denial(
    'address-forbidden',
    `${to.target.authority}: the connection reached an address that was not judged`,
  );
}

const TRUST_ERRORS =
  /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|INVALID_(?:CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH|CRL_)/;

/** Cause of the denial of an upstream that speaks nothing of what was offered. */
export const NO_PROTOCOL_IN_COMMON: unique symbol = Symbol('no protocol in common');

/** What servers send that ask for a certificate and get none (RFC 8446 §6.2, RFC 5246 §7.2.2). */
export const HANDSHAKE_ALERT =
  /^ERR_SSL_(?:TLSV13_ALERT_CERTIFICATE_REQUIRED|SSLV3_ALERT_HANDSHAKE_FAILURE|SSLV3_ALERT_BAD_CERTIFICATE)$/;

function dialFailure(error: Error, authority: string): Denial {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (TRUST_ERRORS.test(code))
    return new Denial(
      'upstream-untrusted',
      `the certificate of ${authority} is not trusted: ${certificateTrouble(code)}`,
      { cause: error },
    );
  if (code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
    return new Denial('upstream-malformed', `${authority} speaks neither HTTP/1.1 nor HTTP/2`, {
      cause: NO_PROTOCOL_IN_COMMON,
    });
  if (HANDSHAKE_ALERT.test(code))
    return new Denial(
      'upstream-untrusted',
      `${authority} refused the TLS handshake: it may demand a client certificate`,
      { cause: error },
    );
  if (code.startsWith('ERR_SSL') || code === 'EPROTO')
    return new Denial('upstream-untrusted', `the TLS handshake with ${authority} failed`, { cause: error });
  if (code === 'ETIMEDOUT')
    return new Denial('upstream-timeout', `connecting to ${authority} timed out`, { cause: error });
  return new Denial('upstream-unreachable', `${authority} cannot be reached${code === '' ? '' : ` (${code})`}`, {
    cause: error,
  });
}

function certificateTrouble(code: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'it has expired';
  if (code === 'CERT_NOT_YET_VALID') return 'it is not valid yet';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'it is for another name';
  if (code === 'INVALID_PURPOSE') return 'it is not a server certificate';
  if (/SELF_SIGNED/.test(code)) return 'it is self-signed';
  if (/ISSUER|LEAF/.test(code)) return 'its issuer is not known (upstream.ca adds one)';
  return code;
}

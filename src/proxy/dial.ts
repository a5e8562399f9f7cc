import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import { Denial } from '../model/denial.ts';
import { parseAddress } from '../model/host.ts';
import type { GuardedAddress } from '../network/guard.ts';
import type { Cancellation } from './cancellation.ts';
import type { Protocol } from './message.ts';
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
 * the agent named. Nothing else is ever dialled, and the address reached is compared with the addresses judged.
 * A witness is demanded: no connection is opened for a request that is not on record.
 */
export async function dial(to: GuardedAddress, _witness: Witness, options: DialOptions): Promise<Dialled> {
  const { target } = to;
  if (options.cancellation.cancelled) throw new Error('aborted before connecting');
  const secure = options.secure && target.scheme === 'https';
  const socket = secure ? openTls(to, options) : connectTcp(tcpOptions(to, !secure));
  const ready = secure ? 'secureConnect' : 'connect';
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error): void => {
      finish();
      socket.destroy();
      reject(error);
    };
    const onTimeout = (): void =>
      fail(new Denial('upstream-timeout', `connecting to ${target.authority} took too long`));
    const onError = (error: Error): void => fail(dialFailure(error, target.authority));
    const onAbort = (): void => fail(new Error('aborted while connecting'));
    const onClose = (): void => fail(dialFailure(new Error('closed while connecting'), target.authority));
    const timer = setTimeout(onTimeout, options.timeout);
    const finish = (): void => {
      clearTimeout(timer);
      options.cancellation.onCancel = null;
      socket.off('error', onError).off('close', onClose);
      // A socket that failed may fail again while it closes; nobody is left to hear it.
      socket.on('error', () => undefined);
    };
    socket.on('error', onError).on('close', onClose);
    options.cancellation.onCancel = onAbort;
    socket.once(ready, () => {
      finish();
      resolve();
    });
  });
  const protocol = (socket as TLSSocket).alpnProtocol === 'h2' ? 'h2' : 'http/1.1';
  return { socket, address: reached(socket, to), protocol };
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

function openTls(to: GuardedAddress, options: DialOptions): TLSSocket {
  const { host, key } = to.target;
  const session = options.sessions.get(key);
  const socket = connectTls({
    ...tcpOptions(to, false),
    secureContext: options.trust,
    minVersion: 'TLSv1.2',
    ALPNProtocols: [...options.protocols],
    // RFC 6066 §3: a server name is a name; an address is verified against the certificate all the same.
    servername: host.kind === 'name' ? host.text : '',
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host.text, certificate),
    ...(session === undefined ? {} : { session }),
  });
  socket.on('session', (fresh: Buffer) => {
    if (options.sessions.size >= MAX_SESSIONS) options.sessions.delete(options.sessions.keys().next().value as string);
    options.sessions.set(key, fresh);
  });
  return socket;
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

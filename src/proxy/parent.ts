import type { Socket } from 'node:net';
import { Http1Error } from '../http1/error.ts';
import { fieldLine } from '../http1/fields.ts';
import { parseResponseHead } from '../http1/head.ts';
import { requestLine } from '../http1/write.ts';
import { Denial } from '../model/denial.ts';
import { addressBytes, uriHost } from '../model/host.ts';
import type { ParentProxy } from '../model/parent-proxy.ts';
import type { Target } from '../model/target.ts';
import type { GuardedAddress } from '../network/guard.ts';
import { Gone, Negotiation } from './negotiation.ts';

/** Longest answer to CONNECT, in bytes. */
const MAX_HEAD = 16 * 1024;
/** Interim answers a parent may send before the one that counts. */
const MAX_INTERIM = 8;

/** Asks a parent proxy, over a connection to it, for a tunnel to the target. Throws Denial. */
export async function askForTunnel(
  socket: Socket,
  parent: ParentProxy,
  target: Target,
  timeout: number,
): Promise<void> {
  const answer = new Negotiation(socket, timeout);
  try {
    if (parent.protocol === 'socks5') await socksConnect(socket, answer, parent, target);
    else await httpConnect(socket, answer, parent, target);
    // In what is carried here the target speaks second: these bytes are nobody's.
    if (answer.unread > 0) throw odd(parent, 'it sent more than its answer');
  } catch (error) {
    if (error instanceof Gone) throw unreachable(parent, 'it closed the connection', error);
    throw error;
  } finally {
    answer.finish();
  }
}

/** What a parent that forwards plain requests is to be told with each of them. */
export interface Forwarding {
  /** The parent, for messages. */
  readonly by: string;
  /** Goes before the path: the target's scheme and authority (RFC 9112 §3.2.2). */
  readonly prefix: string;
  /** Field lines for the parent itself. */
  readonly lines: string;
}

/** Null: the way is through no parent. */
export function forwardingBy({ target, parent }: GuardedAddress): Forwarding | null {
  if (parent === null) return null;
  const prefix = `${target.scheme}://${target.authority}`;
  return { by: parent.authority, prefix, lines: credentialLines(parent) };
}

/** The denial of a parent that does not take the gate's credentials for it. */
export function refusedCredentials(authority: string): Denial {
  return new Denial(
    'upstream-unreachable',
    `the parent proxy ${authority} asks for other credentials than it is given`,
  );
}

/** CONNECT (RFC 9110 §9.3.6). */
async function httpConnect(socket: Socket, answer: Negotiation, parent: ParentProxy, target: Target): Promise<void> {
  const authority = `${uriHost(target.host)}:${target.port}`;
  socket.write(
    `${requestLine('CONNECT', authority)}${fieldLine('Host', authority)}${credentialLines(parent)}\r\n\r\n`,
    'latin1',
  );
  const status = await statusOf(answer, parent);
  if (status >= 200 && status < 300) return;
  if (status === 407) throw refusedCredentials(parent.authority);
  if (status === 504) throw new Denial('upstream-timeout', said(parent, 'it took too long (504)'));
  throw unreachable(parent, `it answered ${status}`);
}

async function statusOf(answer: Negotiation, parent: ParentProxy): Promise<number> {
  for (let count = 0; count <= MAX_INTERIM; count++) {
    const text = await answer.takeHead(MAX_HEAD);
    if (text === null) throw odd(parent, 'its answer is too large');
    try {
      const { status } = parseResponseHead(text, 'CONNECT');
      if (status >= 200) return status;
    } catch (error) {
      if (error instanceof Http1Error) throw odd(parent, error.message);
      throw error;
    }
  }
  throw odd(parent, 'it never comes to an answer');
}

/** `Proxy-Authorization: Basic` (RFC 7617), in UTF-8. */
function credentialLines({ credentials }: ParentProxy): string {
  if (credentials === null) return '';
  const text = Buffer.from(`${credentials.user}:${credentials.password}`, 'utf8').toString('base64');
  return fieldLine('Proxy-Authorization', `Basic ${text}`);
}

const VERSION = 5;
const USER_PASSWORD = 2;
const NO_METHOD = 0xff;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

/** SOCKS version 5 (RFC 1928), by user and password (RFC 1929) where there are any. The parent resolves names. */
async function socksConnect(socket: Socket, answer: Negotiation, parent: ParentProxy, target: Target): Promise<void> {
  const { credentials } = parent;
  const methods = credentials === null ? [0] : [0, USER_PASSWORD];
  socket.write(Buffer.from([VERSION, methods.length, ...methods]));
  const [version, method = NO_METHOD] = await answer.take(2);
  if (version !== VERSION) throw odd(parent, 'it does not speak SOCKS version 5');
  if (!methods.includes(method)) throw refusedCredentials(parent.authority);
  if (method === USER_PASSWORD && credentials !== null) {
    socket.write(Buffer.concat([Buffer.from([1]), counted(credentials.user), counted(credentials.password)]));
    const [, verdict] = await answer.take(2);
    if (verdict !== 0) throw refusedCredentials(parent.authority);
  }
  const port = Buffer.from([target.port >> 8, target.port & 255]);
  socket.write(Buffer.concat([Buffer.from([VERSION, 1, 0]), socksAddress(target), port]));
  const [replyVersion, code = 1, , type] = await answer.take(4);
  if (replyVersion !== VERSION) throw odd(parent, 'its reply is malformed');
  if (code !== 0) throw unreachable(parent, SOCKS_FAILURES[code] ?? `it answered ${code}`);
  // The address it dials from, which says nothing about the one it reached.
  const length = type === IPV4 ? 4 : type === IPV6 ? 16 : type === NAME ? (await answer.take(1))[0] : undefined;
  if (length === undefined) throw odd(parent, 'its reply is malformed');
  await answer.take(length + 2);
}

/** What the replies of RFC 1928 §6 mean. */
const SOCKS_FAILURES: Readonly<Record<number, string>> = {
  1: 'it failed',
  2: 'its rules do not allow it',
  3: 'it cannot reach the network',
  4: 'it cannot reach the host',
  5: 'the host refused the connection',
  6: 'the way is too long',
  7: 'it has no CONNECT',
  8: 'it does not know this kind of address',
};

function socksAddress({ host }: Target): Buffer {
  if (host.kind === 'name') return Buffer.concat([Buffer.from([NAME]), counted(host.text)]);
  return Buffer.concat([Buffer.from([host.kind === 'ipv4' ? IPV4 : IPV6]), addressBytes(host)]);
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function said({ authority }: ParentProxy, what: string): string {
  return `through the parent proxy ${authority}: ${what}`;
}

function unreachable(parent: ParentProxy, what: string, cause?: unknown): Denial {
  return new Denial('upstream-unreachable', said(parent, what), { cause });
}

function odd(parent: ParentProxy, what: string): Denial {
  return new Denial('upstream-malformed', said(parent, what));
}

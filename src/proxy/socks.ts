import type { Socket } from 'node:net';
import { Denial, asDenial } from '../model/denial.ts';
import { parseHost, type Host } from '../model/host.ts';
import { makeTarget, type Target } from '../model/target.ts';
import type { Connections } from './connections.ts';
import { concludeEntry } from './exchange.ts';
import type { Peer } from './message.ts';
import { Gone, Negotiation } from './negotiation.ts';
import { principalOf, type Principal } from './principal.ts';
import type { Services } from './services.ts';
import { openTunnel, serveTunnel } from './tunnel.ts';

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const USER_PASSWORD = 2;
const NO_METHOD = 0xff;
const CONNECT = 1;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;
const SUCCEEDED = 0;
const GENERAL_FAILURE = 1;
const COMMAND_NOT_SUPPORTED = 7;
const ADDRESS_NOT_SUPPORTED = 8;
/** The whole negotiation, in milliseconds. */
const TIMEOUT = 15_000;

/** Serves one SOCKS5 connection (RFC 1928): CONNECT alone, with user and password (RFC 1929) or an address that is an agent. */
export async function serveSocks(
  socket: Socket,
  peer: Peer,
  connections: Connections,
  services: Services,
): Promise<void> {
  const bytes = new Negotiation(socket, TIMEOUT);
  const leave = connections.enterWaiting(socket);
  let principal: Principal | null = null;
  let target: Target;
  try {
    const credentials = await greet(bytes, socket);
    try {
      principal = principalOf({ ...peer, credentials }, services);
    } catch (error) {
      if (credentials.length > 0) socket.write(Buffer.from([1, 1]));
      throw error;
    }
    if (credentials.length > 0) socket.write(Buffer.from([1, 0]));
    peer.seat.claim(principal.agent);
    target = await readRequest(bytes, socket);
    bytes.finish();
  } catch (error) {
    bytes.finish();
    if (!(error instanceof Gone)) concludeEntry(peer, principal?.agent ?? null, asDenial(error), services);
    socket.end();
    socket.resume();
    socket.setTimeout(1_000, () => socket.destroy());
    return;
  } finally {
    leave();
  }
  const tunnel = await openTunnel(principal, target, null, services);
  socket.write(reply(SUCCEEDED));
  await serveTunnel(socket, peer, tunnel, connections, services);
}

/** Agrees on how to authenticate; the credentials in the form the HTTP proxy takes them. */
async function greet(bytes: Negotiation, socket: Socket): Promise<string[]> {
  const [version, count = 0] = await bytes.take(2);
  if (version !== VERSION) throw malformed('not SOCKS version 5');
  const methods = [...(await bytes.take(count))];
  if (methods.includes(USER_PASSWORD)) {
    socket.write(Buffer.from([VERSION, USER_PASSWORD]));
    const [subversion, length = 0] = await bytes.take(2);
    if (subversion !== 1) throw malformed('not version 1 of user and password');
    const user = await bytes.take(length);
    const password = await bytes.take((await bytes.take(1))[0] ?? 0);
    return [`Basic ${Buffer.concat([user, Buffer.from(':'), password]).toString('base64')}`];
  }
  const accepted = methods.includes(NO_AUTHENTICATION) ? NO_AUTHENTICATION : NO_METHOD;
  socket.write(Buffer.from([VERSION, accepted]));
  if (accepted === NO_METHOD) throw malformed('no way to authenticate in common');
  return [];
}

async function readRequest(bytes: Negotiation, socket: Socket): Promise<Target> {
  const [version, command, reserved, type] = await bytes.take(4);
  const refuse = (code: number, detail: string): Denial => {
    socket.write(reply(code));
    return malformed(detail);
  };
  if (version !== VERSION || reserved !== 0) throw refuse(GENERAL_FAILURE, 'the SOCKS request is malformed');
  if (command !== CONNECT) throw refuse(COMMAND_NOT_SUPPORTED, 'SOCKS commands other than CONNECT are not carried');
  const host = await readHost(bytes, type ?? 0);
  if (host === undefined) throw refuse(ADDRESS_NOT_SUPPORTED, 'an address type nobody knows');
  const port = (await bytes.take(2)).readUInt16BE(0);
  if (host === null || port === 0) throw refuse(GENERAL_FAILURE, 'the host or port is malformed');
  return makeTarget('https', host, port);
}

/** Null: malformed; undefined: of a type that is not known. */
async function readHost(bytes: Negotiation, type: number): Promise<Host | null | undefined> {
  if (type === IPV4) return parseHost([...(await bytes.take(4))].join('.'));
  if (type === NAME) {
    const name = (await bytes.take((await bytes.take(1))[0] ?? 0)).toString('latin1');
    // A literal in brackets has an address type of its own.
    return name.includes('[') ? null : parseHost(name);
  }
  if (type !== IPV6) return undefined;
  const address = await bytes.take(16);
  const groups = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(index * 2).toString(16));
  return parseHost(`[${groups.join(':')}]`);
}

function reply(code: number): Buffer {
  return Buffer.from([VERSION, code, 0, IPV4, 0, 0, 0, 0, 0, 0]);
}

function malformed(detail: string): Denial {
  return new Denial('request-malformed', detail);
}

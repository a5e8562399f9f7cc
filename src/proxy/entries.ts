import { chmodSync, rmSync, statSync } from 'node:fs';
import { connect, type AddressInfo, type Server } from 'node:net';
import { ConfigError, type Config } from '../config/config.ts';
import { errorCode } from '../model/error-code.ts';
import { parseHost } from '../model/host.ts';
import type { LeafCache } from '../tls/leaves.ts';
import type { Connections } from './connections.ts';
import { listen, listenTls, portOf, type ListenTarget, type ListenerTls, type Way } from './listener.ts';
import type { Services } from './services.ts';
import { readPem } from './trust.ts';

/** The ways in that are open. */
export interface Entries {
  /** The address of each by its name, as the configuration calls it. */
  readonly addresses: Readonly<Record<string, string>>;
  /** TCP ports they listen on. */
  readonly ports: readonly number[];
  /** Makes the gate's own certificate anew, under the CA of this moment. */
  renew(): void;
  /** Takes no more connections. */
  close(): void;
}

/** Opens the listeners the configuration asks for: all of them, or throws ConfigError and leaves none open. */
export async function openEntries(config: Config, connections: Connections, services: Services): Promise<Entries> {
  const { https, unix } = config.listen;
  const renewals: Array<() => void> = [];
  const tls = https === null ? null : ownTls(config.listen, https, services.leaves, (renew) => renewals.push(renew));
  const plain = (way: Way) => (at: ListenTarget) => listen(at, way, connections, services);
  const ways: readonly Entry[] = [
    ['proxy', config.listen.proxy, plain('http')],
    ['https', tls === null ? null : https, (at) => listenTls(at, tls as ListenerTls, connections, services)],
    ['socks', config.listen.socks, plain('socks')],
    ['transparent', config.listen.transparent, plain('transparent')],
    ['unix', unix === null ? null : { path: unix }, (at) => listenUnix(at, plain('http'))],
  ];
  const servers = new Map<string, Server>();
  const close = (): void => servers.forEach((server) => server.close());
  for (const [name, at, open] of ways) {
    if (at === null) continue;
    const opened = await open(at).catch((error: unknown) => {
      close();
      return listenFailure(`listen.${name}`, at)(error);
    });
    servers.set(name, opened);
  }
  return {
    addresses: Object.fromEntries([...servers].map(([name, server]) => [name, addressOf(server)])),
    ports: [...servers.values()].map(portOf).filter((port) => port !== 0),
    renew: () => renewals.forEach((renew) => renew()),
    close,
  };
}

/** A way in: its name in the configuration, where it is to listen, and what opens it. */
type Entry = readonly [name: string, at: ListenTarget | null, open: (at: ListenTarget) => Promise<Server>];

/** A Unix socket for its owner alone. */
async function listenUnix(at: ListenTarget, open: (at: ListenTarget) => Promise<Server>): Promise<Server> {
  const server = await open(at);
  chmodSync((at as { path: string }).path, 0o600);
  return server;
}

/** Makes way for a Unix socket where a gate that was killed left its own. */
export async function removeStaleSocket(path: string | null): Promise<void> {
  if (path !== null && (await isStale(path))) rmSync(path);
}

/** Whether a socket file was left behind by a killed gate: nobody listens there. A living one answers or is too busy to. */
async function isStale(path: string): Promise<boolean> {
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  const refusal = await new Promise<unknown>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(null);
    });
    socket.once('error', resolve);
  });
  return errorCode(refusal) === 'ECONNREFUSED';
}

function ownTls(
  { clientCa, names }: Config['listen'],
  at: { readonly host: string },
  leaves: LeafCache,
  onRenew: ListenerTls['onRenew'],
): ListenerTls {
  const own = parseHost(bracketed(at.host));
  const hosts = [...names, ...(own === null ? [] : [own])];
  const ca = clientCa === null ? {} : { ca: readPem('listen.client-ca', clientCa) };
  return { credentials: () => ({ ...leaves.credentialsFor(hosts), ...ca }), onRenew };
}

/** Tells a listener that cannot be opened as one line of configuration. */
export function listenFailure(setting: string, at: ListenTarget): (error: unknown) => never {
  return (error) => {
    const code = errorCode(error);
    const why =
      code === 'EADDRINUSE'
        ? `the ${'path' in at ? 'path' : 'port'} is in use`
        : code === 'EACCES'
          ? `the ${'path' in at ? 'path' : 'port'} needs privileges`
          : code;
    throw new ConfigError(`${setting}: cannot listen on ${'path' in at ? at.path : `${at.host}:${at.port}`}: ${why}`);
  };
}

/** `host:port`, or the path of a Unix socket. */
export function addressOf(server: Server): string {
  const address = server.address() as AddressInfo | string;
  return typeof address === 'string' ? address : `${bracketed(address.address)}:${address.port}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

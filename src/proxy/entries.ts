import { chmodSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ConfigError, type Config } from '../config/config.ts';
import { errorCode } from '../model/error-code.ts';
import type { Log } from '../telemetry/log.ts';

/** How agents come in, as the configuration calls it. */
export const WAYS = ['proxy', 'https', 'socks', 'transparent', 'unix'] as const;
export type Way = (typeof WAYS)[number];

type ListenTarget = { readonly host: string; readonly port: number } | { readonly path: string };

/** The ways in that are open. */
export interface Entries {
  /** The address of each by its name. */
  readonly addresses: Readonly<Record<string, string>>;
  /** TCP ports they listen on. */
  readonly ports: readonly number[];
  /** Takes no more connections. */
  close(): void;
}

export interface EntryOptions {
  /** Given every connection. */
  readonly receive: (way: Way, socket: Socket) => void;
  /** Nothing is read of a connection before it has been given away. */
  readonly pauseOnConnect: boolean;
  readonly log: Log;
}

/** Opens the listeners the configuration asks for: all of them, or throws ConfigError and leaves none open. */
export async function openEntries({ listen }: Config, options: EntryOptions): Promise<Entries> {
  const servers = new Map<Way, Server>();
  const close = (): void => servers.forEach((server) => server.close());
  await removeStaleSocket(listen.unix);
  for (const way of WAYS) {
    const at = way === 'unix' ? (listen.unix === null ? null : { path: listen.unix }) : listen[way];
    if (at === null) continue;
    const opened = await open(at, way, options).catch((error: unknown) => {
      close();
      return listenFailure(`listen.${way}`, at)(error);
    });
    servers.set(way, opened);
  }
  return {
    addresses: Object.fromEntries([...servers].map(([way, server]) => [way, addressOf(server)])),
    ports: [...servers.values()].map(portOf).filter((port) => port !== 0),
    close,
  };
}

async function open(at: ListenTarget, way: Way, { receive, pauseOnConnect, log }: EntryOptions): Promise<Server> {
  const settings = { allowHalfOpen: true, noDelay: true, keepAlive: true, pauseOnConnect };
  const server = createServer(settings, (socket) => receive(way, socket));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen('path' in at ? { path: at.path } : { host: at.host, port: at.port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => log.error({ err: error }, 'a listener failed'));
  // A Unix socket is for its owner alone.
  if ('path' in at) chmodSync(at.path, 0o600);
  return server;
}

/** The port a server listens on. */
export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Makes way for a Unix socket where a gate that was killed left its own. */
async function removeStaleSocket(path: string | null): Promise<void> {
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

/** An address as it stands before a port. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

import { chmodSync, rmSync, statSync } from 'node:fs';
import { connect, type AddressInfo, type Server } from 'node:net';
import { ConfigError, type Config } from '../config/config.ts';
import { errorCode } from '../model/error-code.ts';
import { parseHost } from '../model/host.ts';
import type { LeafCache } from '../tls/leaves.ts';
import type { Connections } from './connections.ts';
import { listen, listenTls, type ListenTarget, type ListenerTls } from './listener.ts';
import type { Services } from './services.ts';
import { readPem } from './trust.ts';

/** The listeners the configuration asks for, by name. */
export async function openEntries(
  config: Config,
  leaves: LeafCache,
  connections: Connections,
  services: Services,
): Promise<{ proxy: Server } & Record<string, Server>> {
  const { proxy, https, socks, transparent, unix } = config.listen;
  const entries: Record<string, Server> = {};
  const add = async (name: string, at: ListenTarget, opening: Promise<Server>): Promise<Server> => {
    entries[name] = await opening.catch((error: unknown) => {
      for (const server of Object.values(entries)) server.close();
      return listenFailure(`listen.${name}`, at)(error);
    });
    return entries[name];
  };
  const plain = await add('proxy', proxy, listen(proxy, 'http', connections, services));
  if (https !== null) await add('https', https, listenTls(https, ownTls(config, https, leaves), connections, services));
  if (socks !== null) await add('socks', socks, listen(socks, 'socks', connections, services));
  if (transparent !== null)
    await add('transparent', transparent, listen(transparent, 'transparent', connections, services));
  if (unix !== null) {
    const at = { path: unix };
    await removeStale(unix);
    await add('unix', at, listen(at, 'http', connections, services));
    chmodSync(unix, 0o600);
  }
  return { ...entries, proxy: plain };
}

/** Removes a socket file that a killed gate left behind; a living one answers, and is in use. */
async function removeStale(path: string): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
  if (!answers) rmSync(path);
}

function ownTls(config: Config, at: { host: string }, leaves: LeafCache): ListenerTls {
  const { clientCa, names } = config.listen;
  const own = parseHost(bracketed(at.host));
  const hosts = [...names, ...(own === null ? [] : [own])];
  const ca = clientCa === null ? {} : { ca: readPem('listen.client-ca', clientCa) };
  return { credentials: () => ({ ...leaves.credentialsFor(hosts), ...ca }) };
}

export function listenFailure(setting: string, at: ListenTarget): (error: unknown) => never {
  return (error) => {
    const code = errorCode(error);
    const why = code === 'EADDRINUSE' ? 'the port is in use' : code === 'EACCES' ? 'the port needs privileges' : code;
    throw new ConfigError(`${setting}: cannot listen on ${'path' in at ? at.path : `${at.host}:${at.port}`}: ${why}`);
  };
}

export function addressOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return `${bracketed(address)}:${port}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

import { parseHost } from './host.ts';
import { parsePort } from './target.ts';

/** Where shared counters live. */
export interface StoreAddress {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly nodes: ReadonlyArray<{ readonly host: string; readonly port: number }>;
  /** Name of the group that Sentinel watches; empty elsewhere. */
  readonly master: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  readonly secure: boolean;
}

const PORTS = { single: 6379, sentinel: 26379, cluster: 6379 } as const;

/**
 * Reads `redis://[user:password@]host[:port][/database]`, `redis+cluster://host,host`, `redis+sentinel://host,host/master[/database]`;
 * `rediss` for TLS. Null when it is none of these.
 */
export function parseStoreAddress(text: string): StoreAddress | null {
  const match = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^/@]+)((?:\/[^/]*)*)$/.exec(text);
  if (match === null) return null;
  const [, secure, given, login, hosts = '', rest = ''] = match;
  const kind = given === 'sentinel' || given === 'cluster' ? given : 'single';
  const nodes = hosts.split(',').map((each) => parseNode(each, PORTS[kind]));
  const path = rest.split('/').slice(1);
  const master = kind === 'sentinel' ? (path.shift() ?? '') : '';
  const database = path[0] === undefined || path[0] === '' ? 0 : Number(path[0]);
  const known = nodes.filter((node) => node !== null);
  const wrong =
    known.length < nodes.length ||
    (kind === 'single' && known.length !== 1) ||
    (kind === 'sentinel' && master === '') ||
    (kind === 'cluster' && database !== 0) ||
    path.length > 1 ||
    !(Number.isInteger(database) && database >= 0 && database < 1000);
  const credentials = parseLogin(login);
  if (wrong || credentials === null) return null;
  return { kind, nodes: known, master, ...credentials, database, secure: secure === 's' };
}

function parseNode(text: string, standard: number): { host: string; port: number } | null {
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(text);
  const host = match === null ? null : parseHost(match[1] ?? '');
  const port = match?.[2] === undefined ? standard : parsePort(match[2]);
  return host === null || port === null ? null : { host: host.text, port };
}

function parseLogin(login: string | undefined): { username: string | null; password: string | null } | null {
  if (login === undefined || login === '') return { username: null, password: null };
  const colon = login.indexOf(':');
  try {
    const username = decodeURIComponent(colon === -1 ? login : login.slice(0, colon));
    const password = colon === -1 ? null : decodeURIComponent(login.slice(colon + 1));
    return { username: username === '' ? null : username, password };
  } catch {
    return null;
  }
}

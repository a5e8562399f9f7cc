import { Resolver as DnsResolver } from 'node:dns/promises';
import { parseAddress } from '../model/host.ts';
import { Denial } from '../model/denial.ts';

/** Answers of one look-up, A and AAAA together. */
export interface Resolution {
  readonly addresses: readonly string[];
  /** Clock reading, in milliseconds, at which the answer ends. */
  readonly expires: number;
}

/** Where names become addresses. The guard never sees more of DNS than this. */
export interface NameService {
  resolve(name: string): Promise<Resolution>;
}

const MAX_TTL = 300;
const CACHE_LIMIT = 10_000;

/**
 * Asks DNS itself: no hosts file, no search domains, no `localhost`. Both families are asked; a name that fails in one
 * and answers in the other resolves. An answer serves until its TTL ends, five minutes at most; concurrent look-ups of
 * a name are one.
 */
export class DnsNameService implements NameService {
  readonly #dns: DnsResolver;
  readonly #clock: () => number;
  readonly #cache = new Map<string, Resolution>();
  readonly #pending = new Map<string, Promise<Resolution>>();

  constructor(options: { servers: readonly string[]; timeout: number; clock: () => number }) {
    this.#dns = new DnsResolver({ timeout: options.timeout, tries: 2 });
    if (options.servers.length > 0) this.#dns.setServers(options.servers);
    this.#clock = options.clock;
  }

  async resolve(name: string): Promise<Resolution> {
    const cached = this.#cache.get(name);
    if (cached !== undefined && cached.expires > this.#clock()) return cached;
    const pending = this.#pending.get(name);
    if (pending !== undefined) return pending;
    const lookup = this.#lookup(name).finally(() => this.#pending.delete(name));
    this.#pending.set(name, lookup);
    return lookup;
  }

  async #lookup(name: string): Promise<Resolution> {
    const [v4, v6] = await Promise.allSettled([
      this.#dns.resolve4(name, { ttl: true }),
      this.#dns.resolve6(name, { ttl: true }),
    ]);
    const records = [v4, v6].flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    // One family failing for want of a record is ordinary; failing for want of a server hides answers we must judge.
    const failure = [v4, v6]
      .map((result) => (result.status === 'rejected' ? codeOf(result.reason) : null))
      .find((code) => code !== null && code !== 'ENODATA' && code !== 'ENOTFOUND');
    if (records.length === 0 || failure !== undefined)
      throw failed(name, failure ?? codeOf((v4 as PromiseRejectedResult).reason));
    const ttl = Math.min(MAX_TTL, ...records.map((record) => record.ttl));
    const addresses = records.map((record) => canonical(record.address));
    const resolution = { addresses: [...new Set(addresses)], expires: this.#clock() + ttl * 1000 };
    if (this.#cache.size >= CACHE_LIMIT) this.#cache.delete(this.#cache.keys().next().value as string);
    this.#cache.delete(name);
    this.#cache.set(name, resolution);
    return resolution;
  }
}

/** DNS may answer with a mapped address: it is judged as the IPv4 address it is. */
function canonical(address: string): string {
  return parseAddress(address)?.text ?? address;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? 'EUNKNOWN';
}

function failed(name: string, code: string): Denial {
  if (code === 'ENOTFOUND' || code === 'ENODATA')
    return new Denial(
      'upstream-unreachable',
      `${name} has no address (${code === 'ENOTFOUND' ? 'NXDOMAIN' : 'no data'})`,
    );
  if (code === 'ETIMEOUT') return new Denial('upstream-timeout', `looking up ${name} timed out`);
  return new Denial('upstream-unreachable', `looking up ${name} failed (${code.replace(/^E/, '')})`);
}

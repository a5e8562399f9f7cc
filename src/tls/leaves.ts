import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { addressBytes, type Host } from '../model/host.ts';
import type { Authority } from './authority.ts';
import { leafCertificate, type LeafName } from './certificate.ts';

const DAY = 86_400_000;
/** Clocks of agents lag: a leaf is valid from a day before it was made. */
const SKEW = DAY;
/** Far below 398 days (CA/Browser Forum), longer than a gate runs between upgrades. */
const LEAF_DAYS = 90;
/** A context is made anew well before its leaf ends. */
const CONTEXT_TTL = 7 * DAY;

interface Leaf {
  readonly context: SecureContext;
  readonly expires: number;
}

export interface LeafCounts {
  mints: number;
  hits: number;
}

export interface LeafCacheOptions {
  readonly limit: number;
  readonly clock: () => number;
  /** 48 bytes. Processes that share them resume each other's TLS sessions. */
  readonly ticketKeys: Buffer;
}

/** Keys of session tickets, for `LeafCacheOptions`. */
export function makeTicketKeys(): Buffer {
  return randomBytes(48);
}

/**
 * TLS contexts by host, least recently used first out. One P-256 key serves all leaves of a process: it is never written,
 * and minting stays at one signature. Minting is synchronous, so concurrent first requests of a host mint once.
 */
export class LeafCache {
  readonly counts: LeafCounts = { mints: 0, hits: 0 };
  readonly #limit: number;
  readonly #clock: () => number;
  readonly #key: { publicKey: KeyObject; privatePem: string };
  readonly #leaves = new Map<string, Leaf>();
  #authority: Authority;
  #ticketKeys: Buffer;

  constructor(authority: Authority, options: LeafCacheOptions) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#key = { publicKey, privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
    this.#authority = authority;
    this.#limit = options.limit;
    this.#clock = options.clock;
    this.#ticketKeys = options.ticketKeys;
  }

  get size(): number {
    return this.#leaves.size;
  }

  /** The context to answer a handshake for this host with. */
  contextFor(host: Host): SecureContext {
    const now = this.#clock();
    const known = this.#leaves.get(host.text);
    if (known !== undefined && known.expires > now) {
      this.counts.hits++;
      this.#leaves.delete(host.text);
      this.#leaves.set(host.text, known);
      return known.context;
    }
    const leaf = { context: this.#mint(host, now), expires: now + CONTEXT_TTL };
    if (this.#leaves.size >= this.#limit) this.#leaves.delete(this.#leaves.keys().next().value as string);
    this.#leaves.set(host.text, leaf);
    return leaf.context;
  }

  /** Certificate and key, both PEM, with which the gate itself answers under these names. */
  credentialsFor(hosts: readonly Host[]): { readonly cert: string; readonly key: string } {
    return { cert: this.#certificate(hosts.map(leafName), this.#clock()), key: this.#key.privatePem };
  }

  /** A new CA: leaves and session tickets of the old one are dropped. */
  replaceAuthority(authority: Authority, ticketKeys: Buffer): void {
    this.#authority = authority;
    this.#ticketKeys = ticketKeys;
    this.#leaves.clear();
  }

  #mint(host: Host, now: number): SecureContext {
    this.counts.mints++;
    return createSecureContext({
      cert: this.#certificate([leafName(host)], now),
      key: this.#key.privatePem,
      minVersion: 'TLSv1.2',
      ticketKeys: this.#ticketKeys,
      // A session resumes only where it began: the host is part of its identity.
      sessionIdContext: createHash('sha256').update(host.text).digest('hex').slice(0, 32),
    });
  }

  #certificate(names: readonly LeafName[], now: number): string {
    const authority = this.#authority;
    const end = Math.min(now + LEAF_DAYS * DAY, Date.parse(authority.certificate.validTo));
    const validity = { from: new Date(now - SKEW), to: new Date(end) };
    const leaf = leafCertificate(authority, names, this.#key.publicKey, validity);
    // A root is what the agent trusts already: to parse and to send it again would cost each new host 0.25 ms.
    return authority.isRoot ? leaf : leaf + authority.certificatePem;
  }
}

function leafName(host: Host): LeafName {
  return host.kind === 'name' ? { dns: host.text } : { address: addressBytes(host) };
}

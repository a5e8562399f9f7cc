import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { Authority } from '../tls/authority.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * When the certificates end that somebody has to renew, as Unix time in seconds: that of the gate's CA (`ca`), those it trusts for
 * agents (`client-ca`) and for upstreams (`upstream-ca`); of several the one that ends first. Files that cannot be read are left
 * out: whoever needs them says so.
 */
export function certificateEnds(
  { listen, upstream }: Pick<Config, 'listen' | 'upstream'>,
  { certificatePem }: Pick<Authority, 'certificatePem'>,
): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  const add = (name: string, pem: string): void => {
    for (const [each] of pem.matchAll(CERTIFICATE)) {
      const end = Date.parse(new X509Certificate(each).validTo) / 1000;
      ends.set(name, Math.min(end, ends.get(name) ?? Infinity));
    }
  };
  add('ca', certificatePem);
  if (listen.clientCa !== null) add('client-ca', textOf(listen.clientCa));
  for (const file of upstream.ca) add('upstream-ca', textOf(file));
  return ends;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

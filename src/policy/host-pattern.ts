import { parseHost, uriHost } from '../model/host.ts';
import type { Parsed } from './parsed.ts';

/** A host as rules name it: exact, `*.x` (one label), `**.x` (one or more labels), or `**` (any name). */
export interface HostPattern {
  readonly kind: 'exact' | 'one-label' | 'labels' | 'any';
  /** Canonical host for `exact`, canonical suffix without the leading dot otherwise, empty for `any`. */
  readonly host: string;
}

/** Parses a host pattern; names are folded exactly as the hosts of requests are. */
export function parseHostPattern(text: string): Parsed<HostPattern> {
  if (text === '**') return { ok: true, value: { kind: 'any', host: '' } };
  if (text === '*') return bad(`"*" is not a host`, 'write "**" for any host, or "*.example.com" for one label');
  const stars = text.startsWith('**.') ? 2 : text.startsWith('*.') ? 1 : 0;
  const suffix = stars === 0 ? text : text.slice(stars + 1);
  if (suffix.includes('*')) {
    return bad(
      `"${text}" has a wildcard that is not a whole leading label`,
      'only "*.example.com" and "**.example.com" exist',
    );
  }
  const host = parseHost(suffix);
  if (host === null)
    return bad(`"${text}" is not a host`, 'write a name such as api.example.com, an IPv4 address, or [IPv6]');
  if (stars === 0) return { ok: true, value: { kind: 'exact', host: uriHost(host) } };
  if (host.kind !== 'name')
    return bad(`"${text}" puts a wildcard before an address`, 'name the address, or use networks');
  return { ok: true, value: { kind: stars === 1 ? 'one-label' : 'labels', host: host.text } };
}

export function hostPatternText(pattern: HostPattern): string {
  if (pattern.kind === 'any') return '**';
  if (pattern.kind === 'exact') return pattern.host;
  return `${pattern.kind === 'one-label' ? '*' : '**'}.${pattern.host}`;
}

/** Higher is more specific: exact, then longer suffixes, then one label over several, then `**`. */
export function hostRank(pattern: HostPattern): number {
  if (pattern.kind === 'exact') return 1_000_000;
  if (pattern.kind === 'any') return 0;
  return pattern.host.split('.').length * 2 + (pattern.kind === 'one-label' ? 1 : 0);
}

/** True when every host that `inner` matches is matched by `outer`. */
export function hostCovers(outer: HostPattern, inner: HostPattern): boolean {
  if (outer.kind === 'any') return inner.kind !== 'exact' || !isAddress(inner.host);
  if (outer.kind === 'exact') return inner.kind === 'exact' && inner.host === outer.host;
  if (inner.kind === 'any') return false;
  const under = inner.host.endsWith(`.${outer.host}`);
  if (outer.kind === 'labels') return under || (inner.kind !== 'exact' && inner.host === outer.host);
  if (inner.kind === 'one-label') return inner.host === outer.host;
  return inner.kind === 'exact' && under && !inner.host.slice(0, -outer.host.length - 1).includes('.');
}

function isAddress(host: string): boolean {
  return host.startsWith('[') || /^[0-9.]+$/.test(host);
}

function bad<T>(message: string, hint: string): Parsed<T> {
  return { ok: false, message, hint };
}

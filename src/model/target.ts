import { parseHost, uriHost, type Host } from './host.ts';

export type Scheme = 'http' | 'https' | 'tcp';
export const DEFAULT_PORT: Readonly<Record<Scheme, number | null>> = { http: 80, https: 443, tcp: null };

/** What the agent asked for: a scheme, a canonical host and a port. The texts are made once. */
export interface Target {
  readonly scheme: Scheme;
  readonly host: Host;
  readonly port: number;
  /** `scheme://host:port`. */
  readonly key: string;
  /** `host:port`, the port left out where it is the scheme's own: what stands in `Host`. */
  readonly authority: string;
}

export interface Authority {
  readonly host: Host;
  readonly port: number | null;
}

export function makeTarget(scheme: Scheme, host: Host, port: number): Target {
  const name = uriHost(host);
  const authority = port === DEFAULT_PORT[scheme] ? name : `${name}:${port}`;
  return { scheme, host, port, key: `${scheme}://${name}:${port}`, authority };
}

/**
 * Parses `host[:port]` as it stands in CONNECT, in an absolute URI or in `Host` (RFC 3986 §3.2). Userinfo, zones, brackets
 * around names, empty or odd ports are malformed: null. Bytes are read as UTF-8 before names are folded.
 */
export function parseAuthority(text: string): Authority | null {
  const decoded = decodeUtf8(text);
  if (decoded === null || decoded.includes('@')) return null;
  const end = decoded.startsWith('[') ? decoded.indexOf(']') + 1 : hostEnd(decoded);
  if (end === 0) return null;
  const host = parseHost(decoded.slice(0, end));
  if (host === null) return null;
  if (end === decoded.length) return { host, port: null };
  if (decoded[end] !== ':') return null;
  const port = parsePort(decoded.slice(end + 1));
  return port === null ? null : { host, port };
}

/** Decimal digits without sign, leading zero or space, 1 to 65535; else null. */
export function parsePort(text: string): number | null {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return null;
  const port = Number(text);
  return port <= 65535 ? port : null;
}

function hostEnd(text: string): number {
  const colon = text.indexOf(':');
  return colon === -1 ? text.length : colon;
}

/** Heads are read as Latin-1, one character a byte; an internationalised name in them is UTF-8. */
function decodeUtf8(text: string): string | null {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) {
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'latin1'));
      } catch {
        return null;
      }
    }
  }
  return text;
}

import { uriHost, type Host } from './host.ts';
import { parseAuthority } from './target.ts';

/** Another proxy that the gate goes through. */
export interface ParentProxy {
  /** What it is spoken to with: HTTP in the clear, HTTP over TLS, or SOCKS version 5. */
  readonly protocol: 'http' | 'https' | 'socks5';
  readonly host: Host;
  readonly port: number;
  /** `host:port`, for records and messages: it never holds the password. */
  readonly authority: string;
  /** What it is told of who asks; null: nothing. */
  readonly credentials: { readonly user: string; readonly password: string } | null;
}

const DEFAULT_PORT: Readonly<Record<ParentProxy['protocol'], number>> = { http: 80, https: 443, socks5: 1080 };
/** RFC 1929 §2: each is counted in one byte. */
const LONGEST = 255;

/**
 * Parses `http://`, `https://` or `socks5://`, then `[user:password@]host[:port]`, user and password percent-encoded.
 * `socks5h`, as curl calls it, is the same: names are always the parent's to resolve. Anything else is null.
 */
export function parseParentProxy(text: string): ParentProxy | null {
  const match = /^(https?|socks5h?):\/\/(?:([^@/]*)@)?([^@/]+)\/?$/.exec(text);
  if (match === null) return null;
  const protocol = (match[1] === 'socks5h' ? 'socks5' : match[1]) as ParentProxy['protocol'];
  const at = parseAuthority(match[3] ?? '');
  const credentials = match[2] === undefined ? null : parseCredentials(match[2]);
  if (at === null || credentials === undefined) return null;
  const port = at.port ?? DEFAULT_PORT[protocol];
  return { protocol, host: at.host, port, authority: `${uriHost(at.host)}:${port}`, credentials };
}

/** Undefined: malformed. A user name holds no colon, for Basic has no way to say it (RFC 7617 §2). */
function parseCredentials(text: string): ParentProxy['credentials'] | undefined {
  const colon = text.indexOf(':');
  const user = decode(colon === -1 ? text : text.slice(0, colon));
  const password = decode(colon === -1 ? '' : text.slice(colon + 1));
  if (user === null || password === null || user === '' || user.includes(':')) return undefined;
  return { user, password };
}

function decode(text: string): string | null {
  try {
    const decoded = decodeURIComponent(text);
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    return Buffer.byteLength(decoded) > LONGEST || /[\x00-\x1f\x7f]/.test(decoded) ? null : decoded;
  } catch {
    return null;
  }
}

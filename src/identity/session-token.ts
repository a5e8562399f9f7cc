import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Session } from '../model/session.ts';

/** A secret that tokens are signed with. */
export interface SessionKey {
  readonly id: string;
  /** 32 bytes in base64url. */
  readonly secret: string;
}

/** How tokens begin: no token of an agent does. */
export const SESSION_PREFIX = 'sps1.';
/** Longest token, in characters: it travels in a header field. */
const MAX_TOKEN = 6000;

/** What is signed: short names, for it is sent with every connection. */
interface Payload {
  readonly k: string;
  readonly i: string;
  readonly a: string;
  readonly c: readonly string[] | null;
  readonly l: Readonly<Record<string, string>>;
  readonly m: Session['limits'];
  readonly t: number;
  readonly e: number;
}

/** The token of a session: `sps1.`, what it says, and HMAC-SHA256 over both (RFC 2104), in base64url. */
export function signSession(session: Session, key: SessionKey): string {
  const { id, agent, capabilities, labels, limits, issued, expires } = session;
  const payload: Payload = { k: key.id, i: id, a: agent, c: capabilities, l: labels, m: limits, t: issued, e: expires };
  const body = SESSION_PREFIX + Buffer.from(JSON.stringify(payload)).toString('base64url');
  return `${body}.${macOf(body, key)}`;
}

/** The session a token stands for, whether or not it has expired; null for a token that none of these keys signed. */
export function readSession(token: string, keys: ReadonlyMap<string, SessionKey>): Session | null {
  if (!token.startsWith(SESSION_PREFIX) || token.length > MAX_TOKEN) return null;
  const dot = token.lastIndexOf('.');
  const body = token.slice(0, dot);
  const payload = dot < SESSION_PREFIX.length ? null : parsePayload(body.slice(SESSION_PREFIX.length));
  const key = payload === null ? undefined : keys.get(payload.k);
  if (payload === null || key === undefined) return null;
  const [given, right] = [Buffer.from(token.slice(dot + 1)), Buffer.from(macOf(body, key))];
  if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
  const { i: id, a: agent, c: capabilities, l: labels, m: limits = {}, t: issued, e: expires } = payload;
  return { id, agent, capabilities, labels, limits, issued, expires };
}

function macOf(body: string, { secret }: SessionKey): string {
  return createHmac('sha256', Buffer.from(secret, 'base64url')).update(body).digest('base64url');
}

/** Only what was signed is believed: this finds the key to check it with. */
function parsePayload(text: string): Payload | null {
  try {
    const value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Payload | null;
    return typeof value === 'object' && value !== null && typeof value.k === 'string' ? value : null;
  } catch {
    return null;
  }
}

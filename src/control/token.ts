import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../model/error-code.ts';

/** Where the token of the admin listener is kept, for whoever may read the gate's state. */
export const tokenFile = (state: string): string => join(state, 'admin.token');

/** Reads the token of the admin listener; makes it on first start. Throws an Error with one line. */
export function openToken(state: string): string {
  const path = tokenFile(state);
  try {
    mkdirSync(state, { recursive: true });
    // Exclusive: of two gates that start together, one makes it and the other reads it.
    writeFileSync(path, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST')
      throw new Error(`${path} cannot be written: ${errorCode(error)}`, { cause: error });
  }
  return readToken(state);
}

/** Reads the token. Throws an Error with one line where there is none. */
export function readToken(state: string): string {
  const path = tokenFile(state);
  let token: string;
  try {
    token = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Error(`${path} cannot be read: ${errorCode(error)}`, { cause: error });
  }
  if (/^[A-Za-z0-9_-]{43}$/.test(token)) return token;
  throw new Error(`${path} holds no token: remove it, and the gate makes a new one when it starts`);
}

/** Whether a request shows the token (RFC 6750 §2.1). Takes as long for a wrong one as for the right one. */
export function showsToken(authorization: string | undefined, token: string): boolean {
  const shown = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(shown), digest(token));
}

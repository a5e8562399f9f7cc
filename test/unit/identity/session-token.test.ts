import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SESSION_PREFIX, readSession, signSession, type SessionKey } from '../../../src/identity/session-token.ts';
import type { Session } from '../../../src/model/session.ts';

const key = (id: string, fill: number): SessionKey => ({ id, secret: Buffer.alloc(32, fill).toString('base64url') });
const [ONE, TWO] = [key('00000001', 1), key('00000002', 2)];
const KEYS = new Map([ONE, TWO].map((each) => [each.id, each]));
const SESSION: Session = {
  id: 'abc',
  agent: 'bot',
  capabilities: ['a'],
  labels: { task: '1' },
  limits: { requests: '10/session' },
  issued: 1,
  expires: 2,
};

describe('a session token', () => {
  it('says what was signed, whoever of the known keys signed it', () => {
    for (const each of [ONE, TWO]) expect(readSession(signSession(SESSION, each), KEYS)).toEqual(SESSION);
    expect(readSession(signSession({ ...SESSION, capabilities: null }, ONE), KEYS)?.capabilities).toBeNull();
  });

  it('of another key, or of one that has gone, is none', () => {
    expect(readSession(signSession(SESSION, key('00000001', 9)), KEYS)).toBeNull();
    expect(readSession(signSession(SESSION, key('00000003', 1)), KEYS)).toBeNull();
    expect(readSession(signSession(SESSION, ONE), new Map())).toBeNull();
  });

  it('is none once any character of it is another', () => {
    const token = signSession(SESSION, ONE);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...'Az09-_.'), (at, character) => {
        fc.pre(token[at] !== character);
        expect(readSession(token.slice(0, at) + character + token.slice(at + 1), KEYS)).toBeNull();
      }),
    );
  });

  it('is none when it is made up', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((text) => Buffer.from(text).toString('base64url')),
        ),
        (text) => {
          expect(readSession(SESSION_PREFIX + text, KEYS)).toBeNull();
          expect(readSession(`${SESSION_PREFIX}${text}.x`, KEYS)).toBeNull();
        },
      ),
    );
    expect(readSession(`${SESSION_PREFIX}${'a'.repeat(100_000)}`, KEYS)).toBeNull();
  });
});

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { identify, makeIdentities } from '../../../src/identity/identify.ts';
import { FailureThrottle } from '../../../src/identity/throttle.ts';

const hash = (token: string): string => createHash('sha256').update(token).digest('hex');
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const identities = makeIdentities([
  { name: 'bot', tokenHashes: [hash('old'), hash('new')], sourceNetworks: [] },
  { name: 'lan', tokenHashes: [], sourceNetworks: [{ address: '10.0.0.0', prefix: 8, family: 'ipv4' }] },
]);
const who = (source: string, ...credentials: string[]): string =>
  identify({ source, credentials }, identities, new FailureThrottle(() => 0));

describe('identify()', () => {
  it('knows an agent by any of its tokens, or by its source network', () => {
    expect([who('1.1.1.1', basic('bot:old')), who('1.1.1.1', basic('bot:new')), who('10.9.9.9')]).toEqual([
      'bot',
      'bot',
      'lan',
    ]);
  });

  it('takes a token with colons, and the scheme in any case', () => {
    const own = makeIdentities([{ name: 'x', tokenHashes: [hash('a:b')], sourceNetworks: [] }]);
    expect(
      identify(
        { source: '1.1.1.1', credentials: [`bAsIc ${Buffer.from('x:a:b').toString('base64')}`] },
        own,
        new FailureThrottle(() => 0),
      ),
    ).toBe('x');
  });

  it.each([[basic('bot:wrong')], [basic('nobody:old')], [basic('lan:')], ['Bearer x'], [basic('bot')]])(
    'refuses %s',
    (field) => {
      expect(() => who('10.0.0.1', field)).toThrow(
        expect.objectContaining({ reason: 'agent-unknown', message: 'the agent or its token is wrong' }),
      );
    },
  );

  it('refuses a source that is no agent, and two credentials', () => {
    expect(() => who('11.0.0.1')).toThrow(expect.objectContaining({ reason: 'agent-unknown' }));
    expect(() => who('10.0.0.1', basic('bot:old'), basic('bot:old'))).toThrow(/more than one/);
  });
});

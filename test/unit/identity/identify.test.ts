import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { identify, makeIdentities } from '../../../src/identity/identify.ts';
import { FailureThrottle } from '../../../src/identity/throttle.ts';

const hash = (token: string): string => createHash('sha256').update(token).digest('hex');
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const identities = makeIdentities([
  { name: 'bot', tokenHashes: [hash('old'), hash('new')], sourceNetworks: [], certificate: null },
  {
    name: 'lan',
    tokenHashes: [],
    sourceNetworks: [{ address: '10.0.0.0', prefix: 8, family: 'ipv4' }],
    certificate: null,
  },
]);
const who = (source: string, ...credentials: string[]): string =>
  identify({ source, certificate: [], credentials }, identities, new FailureThrottle(() => 0)).agent;

describe('identify()', () => {
  it('knows an agent by any of its tokens, or by its source network', () => {
    expect([who('1.1.1.1', basic('bot:old')), who('1.1.1.1', basic('bot:new')), who('10.9.9.9')]).toEqual([
      'bot',
      'bot',
      'lan',
    ]);
  });

  it('takes a token with colons, and the scheme in any case', () => {
    const own = makeIdentities([{ name: 'x', tokenHashes: [hash('a:b')], sourceNetworks: [], certificate: null }]);
    expect(
      identify(
        { source: '1.1.1.1', certificate: [], credentials: [`bAsIc ${Buffer.from('x:a:b').toString('base64')}`] },
        own,
        new FailureThrottle(() => 0),
      ).agent,
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

  it('knows an agent by its certificate; one that names nobody proves nothing, and a token goes before', () => {
    const own = makeIdentities([
      {
        name: 'x',
        tokenHashes: [hash('t')],
        sourceNetworks: [{ address: '10.0.0.0', prefix: 8, family: 'ipv4' }],
        certificate: 'spiffe://acme/x',
      },
    ]);
    const by = (certificate: string[], credentials: string[] = []): string =>
      identify({ source: '10.1.1.1', certificate, credentials }, own, new FailureThrottle(() => 0)).agent;
    expect(by(['spiffe://other', 'spiffe://acme/x'])).toBe('x');
    expect(() => by(['CN=nobody'])).toThrow('the client certificate names no agent');
    expect(() => by(['spiffe://acme/x'], [basic('x:wrong')])).toThrow('the agent or its token is wrong');
  });
});

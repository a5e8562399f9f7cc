import { describe, expect, it } from 'vitest';

import { Pins, guard, type NetworkView } from '../../../src/network/guard.ts';
import type { NameService } from '../../../src/network/resolver.ts';
import { addressSetOf } from '../../../src/network/classify.ts';
import { request } from '../../support/policy.ts';

const answers = (...addresses: string[]): NameService => ({ resolve: async () => ({ addresses, expires: 0 }) });
const view = (more: Partial<NetworkView> = {}): NetworkView => ({
  pins: new Pins([]),
  networks: new Map([['lan', addressSetOf([{ address: '10.0.0.0', prefix: 8, family: 'ipv4' }])]]),
  ownPorts: () => new Set([8899]),
  ...more,
});
const permit = (url: string, networks: string[] = []) => ({ target: request('GET', url).target, networks });

describe('guard()', () => {
  it('gives every public answer', async () => {
    expect(await guard(permit('https://a.test/'), answers('8.8.8.8', '1.1.1.1'), view())).toMatchObject({
      addresses: ['8.8.8.8', '1.1.1.1'],
      how: 'resolved',
      port: 443,
    });
  });

  it('refuses the whole set for one forbidden answer', async () => {
    await expect(async () =>
      guard(permit('https://a.test/'), answers('8.8.8.8', '10.0.0.1'), view()),
    ).rejects.toMatchObject({ reason: 'address-forbidden' });
  });

  it('opens a network to the rule that names it', async () => {
    expect(await guard(permit('https://a.test/', ['lan']), answers('10.0.0.1'), view())).toMatchObject({
      addresses: ['10.0.0.1'],
    });
    await expect(async () =>
      guard(permit('https://a.test/', ['other']), answers('10.0.0.1'), view()),
    ).rejects.toMatchObject({ reason: 'address-forbidden' });
  });

  it('lets a pin go before DNS, exact before **, but never to the gate itself', async () => {
    const pins = new Pins([
      ['a.test:443', { host: '127.0.0.1', port: 1 }],
      ['**:443', { host: '127.0.0.2', port: 2 }],
      ['b.test:443', { host: '127.0.0.1', port: 8899 }],
    ]);
    const none: NameService = { resolve: () => Promise.reject(new Error('asked')) };
    expect(await guard(permit('https://a.test/'), none, view({ pins }))).toMatchObject({
      addresses: ['127.0.0.1'],
      port: 1,
      how: 'pinned',
    });
    expect(await guard(permit('https://c.test/'), none, view({ pins }))).toMatchObject({
      addresses: ['127.0.0.2'],
      port: 2,
    });
    expect(() => guard(permit('https://b.test/'), none, view({ pins }))).toThrow(/listener of the gate/);
  });

  it.each(['https://localhost/', 'https://x.localhost/', 'https://metadata.google.internal/'])(
    'never looks %s up',
    (url) => {
      expect(() => guard(permit(url, ['lan']), answers('8.8.8.8'), view())).toThrow();
    },
  );
});

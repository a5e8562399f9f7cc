import { describe, expect, it } from 'vitest';

import { Pins, guard, type NetworkView } from '../../../src/network/guard.ts';
import { Denial } from '../../../src/model/denial.ts';
import { parseParentProxy } from '../../../src/model/parent-proxy.ts';
import { Parents } from '../../../src/network/parents.ts';
import type { NameService } from '../../../src/network/resolver.ts';
import { addressSetOf } from '../../../src/network/classify.ts';
import { request } from '../../support/policy.ts';

const answers = (...addresses: string[]): NameService => ({ resolve: async () => ({ addresses, expires: 0 }) });
const view = (more: Partial<NetworkView> = {}): NetworkView => ({
  pins: new Pins([]),
  parents: new Parents([]),
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

  describe('where the way is through a parent proxy', () => {
    const parent = (url: string) => new Parents([['**', parseParentProxy(url)]]);
    const none: NameService = { resolve: () => Promise.reject(new Error('asked')) };

    it('asks no name service for the target, and gives the addresses of the parent', async () => {
      const asked: string[] = [];
      const names: NameService = {
        resolve: async (name) => {
          asked.push(name);
          return { addresses: ['10.0.0.7'], expires: 0 };
        },
      };
      const through = view({ parents: parent('http://proxy.corp.test:3128') });
      expect(await guard(permit('https://a.test/'), names, through)).toMatchObject({
        addresses: ['10.0.0.7'],
        port: 3128,
        how: 'unchecked',
        parent: { authority: 'proxy.corp.test:3128' },
      });
      expect(asked).toEqual(['proxy.corp.test']);
    });

    it('judges an address that is written out all the same', async () => {
      const through = view({ parents: parent('http://10.0.0.7:3128') });
      const refused = (url: string) => () => guard(permit(url), none, through);
      expect(refused('https://10.0.0.1/')).toThrow(/not a public address/);
      expect(refused('https://169.254.169.254/')).toThrow(/out of reach/);
      expect(refused('https://localhost/')).toThrow(/localhost/);
      expect(refused('https://metadata.google.internal/')).toThrow(/metadata/);
      expect(await guard(permit('https://8.8.8.8/'), none, through)).toMatchObject({ how: 'unchecked' });
    });

    it('never leads to a listener of the gate', async () => {
      const through = view({ parents: parent('http://127.0.0.1:8899') });
      await expect(async () => guard(permit('https://a.test/'), none, through)).rejects.toMatchObject({
        reason: 'address-forbidden',
      });
    });

    it('says that the parent cannot be found, and not the target', async () => {
      const lost: NameService = {
        resolve: () => Promise.reject(new Denial('upstream-unreachable', 'no such name')),
      };
      const through = view({ parents: parent('http://proxy.corp.test:3128') });
      await expect(async () => guard(permit('https://a.test/'), lost, through)).rejects.toThrow(
        'the parent proxy proxy.corp.test:3128 cannot be found: no such name',
      );
    });
  });
});

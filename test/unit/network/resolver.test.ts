import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DnsNameService } from '../../../src/network/resolver.ts';
import { startDns, type TestDns } from '../../support/dns.ts';

let dns: TestDns;
let now = 0;
const service = (): DnsNameService => new DnsNameService({ servers: [dns.address], timeout: 300, clock: () => now });
beforeAll(async () => {
  dns = await startDns({
    'a.test': { a: ['8.8.8.8'], aaaa: ['2606:4700::1'], ttl: 10 },
    'zero.test': { a: ['8.8.8.8'], ttl: 0 },
    'long.test': { a: ['8.8.8.8'], ttl: 86_400 },
    'four.test': { a: ['8.8.8.8'] },
    'bad.test': { failure: 2 },
    'mute.test': { failure: 'silent' },
  });
});
afterAll(() => dns.close());

describe('DnsNameService', () => {
  it('asks both families and keeps the answer as long as it holds', async () => {
    const names = service();
    const asked = (): number => dns.asked.filter((name) => name === 'a.test').length;
    expect(await names.resolve('a.test')).toEqual({ addresses: ['8.8.8.8', '2606:4700::1'], expires: now + 10_000 });
    await names.resolve('a.test');
    expect(asked()).toBe(2);
    now += 10_001;
    await Promise.all([names.resolve('a.test'), names.resolve('a.test')]);
    expect(asked()).toBe(4);
  });

  it('does not keep an answer of TTL 0, nor any for more than five minutes', async () => {
    const names = service();
    await names.resolve('zero.test');
    await names.resolve('zero.test');
    expect(dns.asked.filter((name) => name === 'zero.test')).toHaveLength(4);
    expect((await names.resolve('long.test')).expires - now).toBe(300_000);
  });

  it('a name with one family resolves', async () => {
    expect((await service().resolve('four.test')).addresses).toEqual(['8.8.8.8']);
  });

  it.each([
    ['bad.test', 'upstream-unreachable', /SERVFAIL/],
    ['none.test', 'upstream-unreachable', /NXDOMAIN/],
    ['mute.test', 'upstream-timeout', /timed out/],
  ])('%s is %s', async (name, reason, detail) => {
    await expect(service().resolve(name)).rejects.toMatchObject({
      reason,
      message: expect.stringMatching(detail) as string,
    });
  });

  it('asks for the name as it stands: no search domain, no hosts file', async () => {
    // c-ares reads the search list from here; a resolver that used it would ask for intranet.evil.test.
    process.env['LOCALDOMAIN'] = 'evil.test';
    const names = service();
    delete process.env['LOCALDOMAIN'];
    for (const name of ['intranet', 'localhost', hostname().toLowerCase()])
      await expect(names.resolve(name)).rejects.toMatchObject({ message: expect.stringMatching(/NXDOMAIN/) as string });
    expect(dns.asked).toEqual(expect.arrayContaining(['intranet', 'localhost']));
    expect(dns.asked.filter((name) => name.endsWith('evil.test'))).toEqual([]);
  });
});

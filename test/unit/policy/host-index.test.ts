import { expect, it } from 'vitest';
import { botPolicy, request } from '../../support/policy.ts';

it('HostIndex finds exact hosts and every wildcard that matches, and keeps addresses from wildcards', () => {
  const policy = botPolicy(
    '    allow: ["GET https://x.a.test/", "GET https://*.a.test/", "GET https://**.a.test/", "GET https://**.test/", "GET https://**/", "GET https://10.0.0.1/"]\n',
  );
  const index = policy.agents.get('bot')?.allow[0];
  const found = (url: string): string[] =>
    (index?.match(request('GET', url).target) ?? []).flatMap((group) => group.entries.map((entry) => entry.rule.text));
  expect(found('https://x.a.test/')).toHaveLength(5);
  expect(found('https://y.x.a.test/')).toEqual(['GET https://**.a.test/', 'GET https://**.test/', 'GET https://**/']);
  expect(found('https://10.0.0.1/')).toEqual(['GET https://10.0.0.1/']);
  expect(found('https://x.a.test:444/')).toEqual([]);
});

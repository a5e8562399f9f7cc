import { expect, it } from 'vitest';
import { loadFiles } from '../../support/policy.ts';

it('defaults stand in one file only', () => {
  const { problems } = loadFiles({ 'a.yaml': 'version: 1\ndefaults: {}\n', 'b.yaml': 'version: 1\ndefaults: {}\n' });
  expect(problems[0]).toMatchObject({
    message: 'defaults is defined twice',
    hint: 'the other definition is at rules/a.yaml:2',
  });
});

it('networks and capabilities are shared by all files', () => {
  const { policy } = loadFiles({
    'a.yaml': 'version: 1\nnetworks: { n: [10.0.0.0/8] }\n',
    'b.yaml': 'version: 1\ncapabilities:\n  c: { networks: [n], endpoints: ["GET https://a.test/"] }\n',
  });
  expect(policy?.networks.get('n')).toEqual([{ address: '10.0.0.0', prefix: 8, family: 'ipv4' }]);
});

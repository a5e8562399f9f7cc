import { describe, expect, it } from 'vitest';

import { LATER } from '../../../src/policy/schema.ts';
import { HASH, problemsOf } from '../../support/policy.ts';

const VALUES: Record<string, string> = {
  scan: 'off',
  credential: 'x',
  reads: '[x]',
  'cleared-for': '[x]',
  intercept: 'false',
  certificate: 'x',
};
const value = (key: string): string => VALUES[key] ?? '{}';

describe('keys the gate cannot enforce yet are refused when used', () => {
  it.each(LATER.agent)('agent %s', (key) => {
    expect(
      problemsOf(
        `version: 1\nagents:\n  b:\n    identity: { token: "sha256:${HASH}" }\n    ${key}: ${value(key)}\n`,
      )[0],
    ).toContain(`"${key}" is not supported yet`);
  });
  it.each(LATER.capability)('capability %s', (key) => {
    expect(
      problemsOf(`version: 1\ncapabilities:\n  c: { endpoints: ["GET https://a.test/"], ${key}: ${value(key)} }\n`)[0],
    ).toContain(`"${key}" is not supported yet`);
  });
  it.each(LATER.file)('%s at the top', (key) => {
    expect(problemsOf(`version: 1\n${key}: {}\n`)[0]).toContain(`"${key}" is not supported yet`);
  });
  it('how long sessions last where they are nobody’s', () => {
    for (const key of LATER.groupLimits) {
      expect(problemsOf(`version: 1\ntenants: { t: { limits: { ${key}: 5m } } }\n`)[0]).toContain(`"${key}" is not`);
    }
  });
});

import { describe, expect, it } from 'vitest';

import { bindParameters, fillEndpoint, parseOriginValue } from '../../../src/policy/parameters.ts';
import type { CapabilitySpec } from '../../../src/policy/schema.ts';

const pack: CapabilitySpec = {
  parameters: { registry: { type: 'origin' }, files: { type: 'origin', default: '${registry}' } },
  endpoints: ['GET ${registry}/**'],
};

describe('parameters', () => {
  it.each([
    ['npm.test', 'https://npm.test'],
    ['http://npm.test:8081/repo/npm/', 'http://npm.test:8081/repo/npm'],
    ['NPM.Test', 'https://npm.test'],
  ])('%s is the origin %s', (text, origin) => {
    expect(parseOriginValue(text)).toBe(origin);
  });

  it.each(['', '*', 'https://*.test', 'npm.test/**', 'npm.test/../x', 'ftp://npm.test', 'npm.test?x', 'u@npm.test'])(
    '%j is no origin',
    (text) => {
      expect(parseOriginValue(text)).toBeNull();
    },
  );

  it('are bound, with defaults that may name others', () => {
    const bound = bindParameters(pack, { registry: 'npm.test' });
    expect(bound.ok && [...bound.value]).toEqual([
      ['registry', 'https://npm.test'],
      ['files', 'https://npm.test'],
    ]);
    expect(bindParameters(pack, {})).toMatchObject({ ok: false, message: 'the parameter "registry" is missing' });
    expect(bindParameters(pack, { registri: 'x' })).toMatchObject({ ok: false, hint: 'did you mean "registry"?' });
  });

  it('fill every text of an endpoint', () => {
    const values = new Map([['registry', 'https://npm.test']]);
    expect(fillEndpoint('GET ${registry}/**', values)).toMatchObject({ ok: true, value: 'GET https://npm.test/**' });
    expect(fillEndpoint('GET ${other}/**', values)).toMatchObject({ ok: false });
  });
});

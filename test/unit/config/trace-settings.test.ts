import { expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';

const load = (flags: Readonly<Record<string, string>>) =>
  loadConfig({
    file: null,
    environment: {},
    flags: new Map(Object.entries(flags).map(([key, value]) => [key, [value]])),
    workingFolder: '/work',
  }).traces;

it('are off unless an address is given', () => {
  expect(load({})).toBeNull();
  expect(load({ 'traces.sample': '10%' })).toBeNull();
  expect(load({ 'traces.url': 'http://127.0.0.1:4318/v1/traces' })).toEqual({
    url: 'http://127.0.0.1:4318/v1/traces',
    tokenFile: null,
    ca: null,
    share: 1,
  });
  expect(load({ 'traces.url': 'https://a.test/', 'traces.sample': '10%', 'traces.token-file': 't' })).toMatchObject({
    share: 0.1,
    tokenFile: '/work/t',
  });
  expect(() => load({ 'traces.url': 'a.test:4318' })).toThrow(
    '--traces-url: "a.test:4318" is not right for traces.url',
  );
});

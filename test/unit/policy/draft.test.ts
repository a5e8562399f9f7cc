import { describe, expect, it } from 'vitest';
import {
  mergeMethods,
  mergeNames,
  sparedByNames,
  together,
  widenHosts,
  type DraftRule,
} from '../../../src/policy/draft.ts';

function rule(method: string, host: string, path: string, more: Partial<DraftRule> = {}): DraftRule {
  return {
    scheme: 'https',
    host,
    port: '',
    segments: path.slice(1).split('/'),
    methods: new Map([[method, 1]]),
    websocket: false,
    stars: [],
    use: { count: 1, first: '2026-01-01T00:00:00Z', last: '2026-01-01T00:00:00Z' },
    ...more,
  };
}

const texts = (rules: readonly DraftRule[]): string[] =>
  rules.map(({ methods, host, segments }) => `${[...methods.keys()].join(',')} ${host}/${segments.join('/')}`);

describe('mergeMethods()', () => {
  it('adds uses up, keeps their span, and sorts by host and path', () => {
    const late = { count: 2, first: '2026-01-02T00:00:00Z', last: '2026-01-03T00:00:00Z' };
    const merged = mergeMethods([
      rule('PUT', 'b', '/x'),
      rule('GET', 'a', '/y'),
      rule('GET', 'b', '/x', { use: late }),
    ]);
    expect(texts(merged)).toEqual(['GET a/y', 'PUT,GET b/x']);
    expect(merged[1]?.use).toEqual({ count: 3, first: '2026-01-01T00:00:00Z', last: '2026-01-03T00:00:00Z' });
  });

  it('makes a WebSocket rule of two of which one is', () => {
    expect(mergeMethods([rule('GET', 'a', '/x', { websocket: true }), rule('GET', 'a', '/x')])[0]?.websocket).toBe(
      true,
    );
  });
});

describe('mergeNames()', () => {
  it('keeps methods apart: what was only read is not written', () => {
    const rules = [rule('GET', 'a', '/x/1'), rule('POST', 'a', '/y/1'), rule('GET', 'a', '/z/1')];
    expect(texts(mergeNames(rules, 2))).toEqual(['GET a/*/1', 'POST a/y/1']);
    expect(sparedByNames(rules, 2)).toBe(1);
  });

  it('puts a new star where it stands among the others', () => {
    const stars = [{ what: 'identifiers', values: new Set(['1', '2']) }] as const;
    const [merged] = mergeNames([rule('GET', 'a', '/x/*', { stars }), rule('GET', 'a', '/y/*', { stars })], 2);
    expect(merged?.stars.map(({ what }) => what)).toEqual(['names', 'identifiers']);
    expect([...(merged?.stars[0]?.values ?? [])]).toEqual(['x', 'y']);
  });

  it('leaves the ends of paths that end in a slash alone', () => {
    expect(texts(mergeNames([rule('GET', 'a', '/x/'), rule('GET', 'a', '/x/y')], 2))).toEqual([
      'GET a/x/',
      'GET a/x/y',
    ]);
  });
});

describe('widenHosts()', () => {
  it.each<[string, string[], string[]]>([
    ['two hosts of one owner', ['a.api.test', 'b.api.test'], ['*.api.test', '*.api.test']],
    ['one host', ['a.api.test'], ['a.api.test']],
    ['the owner’s own name beside it', ['api.test', 'a.api.test'], ['api.test', 'a.api.test']],
    ['hosts under a public suffix', ['a.co.uk', 'b.co.uk'], ['a.co.uk', 'b.co.uk']],
    ['hosts of shared hosting', ['a.github.io', 'b.github.io'], ['a.github.io', 'b.github.io']],
    ['addresses', ['10.0.0.1', '10.0.0.2'], ['10.0.0.1', '10.0.0.2']],
  ])('%s', (_what, hosts, expected) => {
    expect(widenHosts(hosts.map((host) => rule('GET', host, '/'))).map(({ host }) => host)).toEqual(expected);
  });
});

it('together() spans both uses', () => {
  expect(together({ count: 1, first: 'b', last: 'c' }, { count: 2, first: 'a', last: 'b' })).toEqual({
    count: 3,
    first: 'a',
    last: 'c',
  });
});

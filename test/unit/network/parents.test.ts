import { describe, expect, it } from 'vitest';
import { parseHost, type Host } from '../../../src/model/host.ts';
import { parseParentProxy } from '../../../src/model/parent-proxy.ts';
import { Parents } from '../../../src/network/parents.ts';

const proxy = (name: string) => parseParentProxy(`http://${name}.test:1`);
const parents = new Parents([
  ['api.example.com', proxy('own')],
  ['*.example.com', proxy('one-label')],
  ['**.example.com', proxy('any-labels')],
  ['*.deep.example.com', proxy('deep')],
  ['straight.example.com', null],
  ['**.straight.org', null],
  ['**', proxy('rest')],
]);

describe('Parents.find()', () => {
  it.each([
    ['api.example.com', 'own'],
    ['www.example.com', 'one-label'],
    ['a.b.example.com', 'any-labels'],
    ['x.deep.example.com', 'deep'],
    ['x.y.deep.example.com', 'any-labels'],
    ['example.com', 'rest'],
    ['badexample.com', 'rest'],
    ['straight.example.com', null],
    ['a.straight.org', null],
    ['straight.org', 'rest'],
    ['10.0.0.1', 'rest'],
    ['[2001:db8::1]', 'rest'],
  ])('takes %s to %s', (text, name) => {
    const found = parents.find(parseHost(text) as Host);
    expect(found?.host.text ?? null).toBe(name === null ? null : `${name}.test`);
  });

  it('without a pattern for all, goes straight to what no pattern names', () => {
    expect(new Parents([['*.a.test', proxy('a')]]).find(parseHost('b.test') as Host)).toBeNull();
  });
});

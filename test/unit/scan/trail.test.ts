import { describe, expect, it } from 'vitest';
import { fragmentsOf, hostFragment } from '../../../src/scan/fragments.ts';
import { Trail } from '../../../src/scan/trail.ts';

describe('fragmentsOf()', () => {
  it('takes what stands in the path, the query and the body, by its place', () => {
    const body = Buffer.from('{"note": "abc123", "list": ["x1y2", "two words"], "n": 5}');
    expect(fragmentsOf('a.b.example.com', '/v1/files?id=abc&empty=', body, 'json')).toEqual([
      { slot: 'path 2', text: 'files' },
      { slot: 'query id', text: 'abc' },
      { slot: 'member note', text: 'abc123' },
      { slot: 'member list', text: 'x1y2' },
    ]);
    expect(fragmentsOf('example.com', '/', Buffer.from('a=b123&c=d'), 'form')).toEqual([
      { slot: 'field a', text: 'b123' },
    ]);
    expect(fragmentsOf('example.com', '/', Buffer.from(' token123\n'), 'other')).toEqual([
      { slot: 'text', text: 'token123' },
    ]);
    expect(fragmentsOf('example.com', '/', Buffer.from('a sentence'), 'other')).toEqual([]);
  });

  it('takes the labels before the domain of a host, and nothing of an address', () => {
    expect(hostFragment('ab.cd.example.com')).toBe('abcd');
    expect(hostFragment('example.com')).toBe('');
    expect(hostFragment('192.0.2.1')).toBe('');
  });
});

describe('Trail', () => {
  const part = (text: string, slot = 'query d'): { slot: string; text: string } => ({ slot, text });

  /** What is to be scanned after these requests, each kept. */
  function after(...requests: ReadonlyArray<readonly [string, string, string?]>): string {
    const trail = new Trail();
    let bytes: Buffer | null = null;
    for (const [target, text, slot] of requests) {
      const sequel = trail.sequel(target, [part(text, slot)], 0);
      bytes = sequel.bytes;
      sequel.keep();
    }
    return bytes?.toString() ?? '';
  }

  it('joins what stood at the same place in one request after another, either way round', () => {
    expect(after(['a', 'one'])).toBe('');
    const text = after(['a', 'one'], ['a', 'two'], ['a', 'three']);
    expect(text).toContain('onetwothree');
    expect(text).toContain('threetwoone');
  });

  it('joins what went to different hosts, and keeps apart what stood at different places', () => {
    expect(after(['a', 'one'], ['b', 'two'])).toContain('onetwo');
    expect(after(['a', 'one', 'query d'], ['a', 'two', 'query e'])).toBe('');
  });

  it('leaves out what is said again', () => {
    expect(after(['a', 'one'], ['a', 'one'])).toBe('');
    expect(after(['a', 'one'], ['a', 'one'], ['a', 'two'])).toContain('onetwo');
  });

  it('forgets what was not kept', () => {
    const trail = new Trail();
    trail.sequel('a', [part('one')], 0);
    expect(trail.sequel('a', [part('two')], 0).bytes).toBeNull();
  });

  it('knows what is made of several parts', () => {
    const trail = new Trail();
    trail.sequel('a', [part('onetwothree')], 0).keep();
    const sequel = trail.sequel('a', [part('four')], 0);
    expect(sequel.bytes?.toString().startsWith('onetwothreefour')).toBe(true);
    expect(sequel.spans(0, 11)).toBe(false);
    expect(sequel.spans(5, 7)).toBe(true);
    expect(sequel.spans(11, 4)).toBe(false);
    const reversed = (sequel.bytes?.toString() ?? '').indexOf('fouronetwothree');
    expect(sequel.spans(reversed, 4)).toBe(false);
    expect(sequel.spans(reversed, 5)).toBe(true);
  });

  it('forgets what was sent ten minutes ago', () => {
    const trail = new Trail();
    trail.sequel('a', [part('one')], 0).keep();
    expect(trail.sequel('a', [part('two')], 599_000).bytes).not.toBeNull();
    expect(trail.sequel('a', [part('two')], 601_000).bytes).toBeNull();
  });

  it('is bounded', () => {
    const trail = new Trail();
    for (let i = 0; i < 10_000; i++)
      trail.sequel(`host${i}`, [part(`value${i}`.repeat(100), `query ${i % 500}`)], 0).keep();
    const { bytes } = trail.sequel('host', [part('x1y2', 'query 499')], 0);
    expect(bytes?.length ?? 0).toBeLessThan(64 * 1024);
  });
});

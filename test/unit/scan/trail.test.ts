import { describe, expect, it } from 'vitest';
import { Fragment, bodyFragments, hashOf, hostLabels, targetFragments } from '../../../src/scan/fragments.ts';
import { jsonParts } from '../../../src/scan/json-strings.ts';
import { Trail, type Sequel } from '../../../src/scan/trail.ts';

describe('fragments', () => {
  const texts = (target: string, body: string, form: 'json' | 'form' | 'other'): string[] => {
    const bytes = Buffer.from(body);
    const ofBody = form === 'json' ? jsonParts(bytes).fragments : bodyFragments(bytes, form);
    return [...targetFragments(Buffer.from(target)), ...ofBody].map(({ text }) => text);
  };

  it('are what stands in the path, the query and the body', () => {
    const body = '{"note": "abc123", "list": ["x1y2", "two words"], "n": 5, "e": "a\\"b"}';
    expect(texts('/v1/files?id=abc&empty=&x=', body, 'json')).toEqual(['files', 'abc', 'abc123', 'x1y2']);
    expect(texts('/', 'a=b123&c=d', 'form')).toEqual(['b123']);
    expect(texts('/', ' token123\n', 'other')).toEqual(['token123']);
    expect(texts('/', 'a sentence', 'other')).toEqual([]);
    expect(texts('/', '', 'json')).toEqual([]);
  });

  it('know a place by its name, and tell places apart', () => {
    const slots = (target: string): number[] => targetFragments(Buffer.from(target)).map(({ slot }) => slot);
    expect(slots('/q?abc=one&def=two')).toEqual(slots('/q?abc=xyz&def=123'));
    expect(new Set(slots('/one/two?one=two&two=one&three=one')).size).toBe(5);
  });

  it('are the labels before the domain of a host, and nothing of an address', () => {
    expect(hostLabels('ab.cd.example.com')).toBe('abcd');
    expect(hostLabels('example.com')).toBe('');
    expect(hostLabels('192.0.2.1')).toBe('');
    expect(hostLabels('localhost')).toBe('');
  });
});

/** What is to be scanned; empty: nothing is. */
function textOf(sequel: Sequel): string {
  const bytes = Buffer.alloc(sequel.size);
  expect(sequel.write(bytes, 0)).toBe(sequel.size);
  return bytes.toString();
}

describe('Trail', () => {
  const hash = (text: string): number => hashOf(Buffer.from(text), 0, text.length, 0);
  const part = (text: string, slot = 'query d'): Fragment =>
    new Fragment(hash(slot), Buffer.from(text), 0, text.length);

  /** What is to be scanned after these requests, each kept. */
  function after(...requests: ReadonlyArray<readonly [string, string, string?]>): string {
    const trail = new Trail();
    let text = '';
    for (const [target, said, slot] of requests) {
      const sequel = trail.sequel(hash(target), [part(said, slot)], 0);
      text = textOf(sequel);
      sequel.keep();
    }
    return text;
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

  it('follows one host among what is sent to others meanwhile', () => {
    const noise = Array.from({ length: 20 }, (_, i) => ['b', `noise${i}`] as const);
    expect(after(['a', 'one'], ...noise, ['a', 'two'])).toContain('onetwo');
    expect(after(['b', 'zero'], ['a', 'one'], ...noise, ['a', 'two'])).toContain('onetwo');
    expect(after(['a', 'one'], ...noise, ['c', 'two'])).not.toContain('onetwo');
  });

  it('puts all that a request adds at one place in one row, and in reverse', () => {
    const trail = new Trail();
    trail.sequel(hash('a'), [part('one')], 0).keep();
    const sequel = trail.sequel(hash('a'), [part('two'), part('three'), part('two')], 0);
    expect(textOf(sequel)).toBe('onetwothree\n\x02\nthreetwoone\n\x02\n');
    sequel.keep();
    expect(textOf(trail.sequel(hash('a'), [part('four')], 0))).toContain('onetwothreefour');
  });

  it('goes on with the beginning of what is long, and from its end', () => {
    const long = `${'b'.repeat(100)}${'m'.repeat(500)}${'e'.repeat(100)}`;
    expect(after(['a', 'one'], ['a', long])).toContain(`one${'b'.repeat(100)}`);
    expect(after(['a', 'one'], ['a', long], ['a', 'two'])).toContain(`${'e'.repeat(100)}two`);
  });

  it('leaves out what is said again', () => {
    expect(after(['a', 'one'], ['a', 'one'])).toBe('');
    expect(after(['a', 'one'], ['a', 'one'], ['a', 'two'])).toContain('onetwo');
  });

  it('forgets what was not kept', () => {
    const trail = new Trail();
    trail.sequel(hash('a'), [part('one')], 0);
    expect(trail.sequel(hash('a'), [part('two')], 0).size).toBe(0);
  });

  it('knows what is made of several parts', () => {
    const trail = new Trail();
    trail.sequel(hash('a'), [part('onetwothree')], 0).keep();
    const sequel = trail.sequel(hash('a'), [part('four')], 0);
    expect(textOf(sequel).startsWith('onetwothreefour')).toBe(true);
    expect(sequel.spans(0, 11)).toBe(false);
    expect(sequel.spans(5, 7)).toBe(true);
    expect(sequel.spans(11, 4)).toBe(false);
    const reversed = textOf(sequel).indexOf('fouronetwothree');
    expect(sequel.spans(reversed, 4)).toBe(false);
    expect(sequel.spans(reversed, 5)).toBe(true);
  });

  it('forgets what was sent ten minutes ago', () => {
    const trail = new Trail();
    trail.sequel(hash('a'), [part('one')], 0).keep();
    expect(trail.sequel(hash('a'), [part('two')], 599_000).size).not.toBe(0);
    expect(trail.sequel(hash('a'), [part('two')], 601_000).size).toBe(0);
  });

  it('is bounded', () => {
    const trail = new Trail();
    for (let i = 0; i < 10_000; i++)
      trail.sequel(hash(`host${i}`), [part(`value${i}`.repeat(100), `query ${i % 500}`)], 0).keep();
    const { size } = trail.sequel(hash('host'), [part('x1y2', 'query 499')], 0);
    expect(size).toBeLessThan(64 * 1024);
  });
});

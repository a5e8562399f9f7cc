import { describe, expect, it } from 'vitest';
import { Fragment } from '../../src/scan/fragments.ts';
import { KnownTexts } from '../../src/proxy/known-texts.ts';

describe('texts in which nothing was found', () => {
  it('are known until something else is looked for', () => {
    const texts = new KnownTexts();
    const [registry, documents] = [{}, {}];
    const fragments = [new Fragment(1, Buffer.from('messages'), 0, 8)];
    texts.under(registry, documents).add('/v1/messages', fragments);
    expect(texts.under(registry, documents).has('/v1/messages')).toBe(true);
    expect(texts.fragmentsOf('/v1/messages')).toBe(fragments);
    expect(texts.fragmentsOf('/v1/message')).toBeUndefined();
    expect(texts.has('/v1/message')).toBe(false);
    expect(texts.under({}, documents).has('/v1/messages')).toBe(false);
    expect(texts.under(registry, documents).has('/v1/messages')).toBe(false);
  });

  it('are forgotten where there are too many, the oldest first, and not kept where they are long', () => {
    const texts = new KnownTexts();
    for (let i = 0; i < 2000; i++) texts.add(`/${i}`, []);
    texts.add('x'.repeat(5000), []);
    expect(texts.has('/1999')).toBe(true);
    expect(texts.has('/0')).toBe(false);
    expect(texts.has('x'.repeat(5000))).toBe(false);
  });
});

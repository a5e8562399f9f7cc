import { describe, expect, it } from 'vitest';
import { Fragment } from '../../src/scan/fragments.ts';
import { KnownTexts } from '../../src/proxy/known-texts.ts';

describe('texts in which nothing was found', () => {
  it('are known until something else is looked for', () => {
    const texts = new KnownTexts();
    const [registry, documents] = [{}, {}];
    const fragments = [new Fragment(1, Buffer.from('messages'), 0, 8)];
    texts.under(registry, documents).add('/v1/messages', fragments);
    expect(texts.under(registry, documents).fragmentsOf('/v1/messages')).toBeDefined();
    expect(texts.fragmentsOf('/v1/messages')).toBe(fragments);
    expect(texts.fragmentsOf('/v1/message')).toBeUndefined();
    expect(texts.fragmentsOf('/v1/message')).toBeUndefined();
    expect(texts.under({}, documents).fragmentsOf('/v1/messages')).toBeUndefined();
    expect(texts.under(registry, documents).fragmentsOf('/v1/messages')).toBeUndefined();
  });

  it('are forgotten where there are too many, the oldest first, and not kept where they are long', () => {
    const texts = new KnownTexts();
    for (let i = 0; i < 2000; i++) texts.add(`/${i}`, []);
    texts.add('x'.repeat(5000), []);
    expect(texts.fragmentsOf('/1999')).toBeDefined();
    expect(texts.fragmentsOf('/0')).toBeUndefined();
    expect(texts.fragmentsOf('x'.repeat(5000))).toBeUndefined();
  });
});

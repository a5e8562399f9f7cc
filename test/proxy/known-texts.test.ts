import { describe, expect, it } from 'vitest';
import { KnownTexts } from '../../src/proxy/known-texts.ts';

describe('texts in which nothing was found', () => {
  it('are known until something else is looked for', () => {
    const texts = new KnownTexts();
    const [registry, documents] = [{}, {}];
    texts.under(registry, documents).add('/v1/messages');
    expect(texts.under(registry, documents).has('/v1/messages')).toBe(true);
    expect(texts.has('/v1/message')).toBe(false);
    expect(texts.under({}, documents).has('/v1/messages')).toBe(false);
    expect(texts.under(registry, documents).has('/v1/messages')).toBe(false);
  });

  it('are forgotten where there are too many, the oldest first, and not kept where they are long', () => {
    const texts = new KnownTexts();
    for (let i = 0; i < 2000; i++) texts.add(`/${i}`);
    texts.add('x'.repeat(5000));
    expect(texts.has('/1999')).toBe(true);
    expect(texts.has('/0')).toBe(false);
    expect(texts.has('x'.repeat(5000))).toBe(false);
  });
});

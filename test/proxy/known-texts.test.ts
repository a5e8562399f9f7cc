import { describe, expect, it } from 'vitest';
import { Fragment } from '../../src/scan/fragments.ts';
import { TargetPiece } from '../../src/proxy/head-pieces.ts';
import type { Inspection } from '../../src/proxy/inspection.ts';
import { KnownTexts } from '../../src/proxy/known-texts.ts';
import { scanPieces } from '../../src/proxy/scan-pieces.ts';
import { Trail } from '../../src/scan/trail.ts';

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

describe('bodies in which nothing was found', () => {
  const fragments = [new Fragment(1, Buffer.from('messages'), 0, 8)];
  const take = (): typeof fragments => fragments;

  it('are known from the second time on, whole, and by what they are read as', () => {
    const texts = new KnownTexts();
    const body = Buffer.from(JSON.stringify({ method: 'tools/list', id: 1, text: 'x'.repeat(500) }));
    texts.addBody(body, 'json', take);
    expect(texts.fragmentsOfBody(body, 'json')).toBeUndefined();
    texts.addBody(body, 'json', take);
    expect(texts.fragmentsOfBody(Buffer.from(body), 'json')).toBe(fragments);
    expect(texts.fragmentsOfBody(body, 'other')).toBeUndefined();
    for (let at = 0; at < body.length; at++) {
      const other = Buffer.from(body);
      other[at] = (other[at] as number) ^ 1;
      expect(texts.fragmentsOfBody(other, 'json')).toBeUndefined();
    }
    expect(texts.fragmentsOfBody(body.subarray(1), 'json')).toBeUndefined();
  });

  it('are kept apart from where they came from', () => {
    const texts = new KnownTexts();
    const body = Buffer.from('{"a":"b"}');
    let kept: Buffer | null = null;
    for (let time = 0; time < 2; time++)
      texts.addBody(body, 'json', (bytes) => {
        kept = bytes;
        return fragments;
      });
    expect(kept).toEqual(body);
    body.fill('x');
    expect(texts.fragmentsOfBody(Buffer.from('{"a":"b"}'), 'json')).toBe(fragments);
  });

  it('are forgotten once something else is looked for, and not kept where they are long', () => {
    const texts = new KnownTexts().under(1);
    const [body, long] = [Buffer.from('{"a":"b"}'), Buffer.alloc(4096, 'x')];
    for (let time = 0; time < 2; time++) for (const each of [body, long]) texts.addBody(each, 'other', take);
    expect(texts.under(1).fragmentsOfBody(body, 'other')).toBe(fragments);
    expect(texts.fragmentsOfBody(long, 'other')).toBeUndefined();
    expect(texts.under(2).fragmentsOfBody(body, 'other')).toBeUndefined();
  });

  it('are taken apart once, where those that differ pass for one another', () => {
    const texts = new KnownTexts();
    const bodies = Array.from({ length: 10 }, (_, i) => Buffer.alloc(1000, 'x').fill(`${i}`, 1, 2));
    let count = 0;
    for (const body of bodies)
      texts.addBody(body, 'other', () => {
        count++;
        return fragments;
      });
    expect(count).toBe(1);
    expect(bodies.filter((body) => texts.fragmentsOfBody(body, 'other') !== undefined)).toEqual([bodies[1]]);
  });

  it('make way for others', () => {
    const texts = new KnownTexts();
    const bodies = Array.from({ length: 1000 }, (_, i) => Buffer.from(`body ${i}`));
    for (const body of bodies) for (let time = 0; time < 2; time++) texts.addBody(body, 'other', take);
    const known = bodies.filter((body) => texts.fragmentsOfBody(body, 'other') !== undefined);
    expect(known.length).toBeGreaterThan(30);
    expect(known.length).toBeLessThanOrEqual(64);
  });
});

describe('what is scanned', () => {
  it.each([
    ['here, is known', [], true],
    ['by another thread, is not: something else may be looked for by the time it is done', Promise.resolve([]), false],
  ] as const)('%s', async (_name, found, isKnown) => {
    const texts = new KnownTexts();
    const trail = new Trail();
    const inspection = {
      known: (piece: TargetPiece) => piece.known(texts),
      remember: (pieces: readonly TargetPiece[]) => pieces.forEach((piece) => piece.remember(texts)),
      sequel: () => trail.sequel(1, [], 0),
      scan: () => found,
    } as unknown as Inspection;
    await scanPieces([new TargetPiece('/v1/messages')], inspection);
    expect(texts.fragmentsOf('/v1/messages') !== undefined).toBe(isKnown);
  });
});

import { describe, expect, it } from 'vitest';
import { Novelty, NoveltyMeter, noveltySeed } from '../../../src/scan/novelty.ts';
import { randomOf } from '../../support/samples.ts';

const random = randomOf(5);
const seed = noveltySeed(Uint8Array.from({ length: 1028 }, () => Math.floor(random() * 256)));

/** How many bytes of a text are new; it is known afterwards. */
function measure(novelty: Novelty, text: string, piece = text.length, escaped = true): number {
  const meter = new NoveltyMeter(novelty, escaped);
  const bytes = Buffer.from(text);
  let fresh = 0;
  for (let at = 0; at < bytes.length; at += piece) fresh += meter.push(bytes.subarray(at, at + piece));
  fresh += meter.end();
  meter.keep();
  return fresh;
}

/** A text that repeats nothing. */
function novel(size: number, from: number): string {
  const next = randomOf(from);
  let text = '';
  while (text.length < size)
    text += `${next()
      .toString(36)
      .slice(2, 2 + Math.ceil(next() * 8))} `;
  return text.slice(0, size);
}

describe('NoveltyMeter', () => {
  it('takes what was never said for new, all of it, and nothing of it when it is said again', () => {
    const novelty = new Novelty(seed);
    const text = novel(10_000, 1);
    expect(measure(novelty, text)).toBe(10_000);
    expect(measure(novelty, text)).toBe(0);
    expect(measure(novelty, text, 7)).toBe(0);
  });

  it('takes little for new where known text stands in another', () => {
    const novelty = new Novelty(seed);
    const [known, before, behind] = [novel(8000, 2), novel(1000, 3), novel(1000, 4)];
    measure(novelty, known);
    const fresh = measure(novelty, before + known + behind);
    expect(fresh).toBeGreaterThanOrEqual(2000);
    expect(fresh).toBeLessThan(2200);
  });

  it('knows a text with and without the escapes of JSON', () => {
    const novelty = new Novelty(seed);
    const text = novel(4000, 6).replaceAll('a', '"').replaceAll('e', '\n').replaceAll('o', 'é');
    measure(novelty, text, text.length, false);
    expect(measure(novelty, JSON.stringify(text))).toBeLessThan(200);
    const ascii = JSON.stringify(text).replaceAll('é', '\\u00e9');
    for (const piece of [ascii.length, 1, 5]) expect(measure(novelty, ascii, piece)).toBeLessThan(200);
  });

  it('does not know what was measured and not kept', () => {
    const novelty = new Novelty(seed);
    const text = Buffer.from(novel(1000, 8));
    const meter = new NoveltyMeter(novelty, true);
    expect(meter.push(text) + meter.end()).toBe(1000);
    const again = new NoveltyMeter(novelty, true);
    expect(again.push(text) + again.end()).toBe(1000);
  });

  it('counts what it has forgotten again, and remembers what is said again and again', () => {
    const novelty = new Novelty(seed);
    const [often, once] = [novel(2000, 9), novel(2000, 10)];
    measure(novelty, often);
    measure(novelty, once);
    for (let i = 0; i < 60; i++) {
      measure(novelty, novel(50_000, 100 + i));
      expect(measure(novelty, often)).toBeLessThan(300);
    }
    expect(measure(novelty, once)).toBeGreaterThan(1800);
  });

  it('counts data that is hidden in numbers, escapes and marks', () => {
    const novelty = new Novelty(seed);
    const next = randomOf(77);
    const numbers = JSON.stringify(Array.from({ length: 2000 }, () => Math.floor(next() * 256)));
    expect(measure(novelty, numbers)).toBe(numbers.length);
    const marks = Array.from({ length: 4000 }, () => '.,;:!?-_'[Math.floor(next() * 8)]).join('');
    expect(measure(novelty, marks)).toBe(4000);
    const escapes = Array.from({ length: 4000 }, () => `\\${'abcdefgh'[Math.floor(next() * 8)] ?? ''}`).join('');
    expect(measure(novelty, escapes)).toBeGreaterThan(7900);
  });
});

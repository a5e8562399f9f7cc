import { describe, expect, it } from 'vitest';
import { ChannelWatch } from '../../../src/scan/channel.ts';
import { fillIn } from '../../support/samples.ts';

const HOUR = 3_600_000;
const value = (seed: number): string => fillIn('{{an:32}}', seed);

describe('ChannelWatch', () => {
  it('tells once an hour that many different values look as if they were made of something else', () => {
    const watch = new ChannelWatch();
    const told = Array.from({ length: 40 }, (_, i) => watch.note('x', value(i), 512, i));
    expect(told.indexOf(true)).toBe(16);
    expect(told.filter((each) => each)).toHaveLength(1);
    const later = Array.from({ length: 40 }, (_, i) => watch.note('x', value(100 + i), 512, 2 * HOUR + i));
    expect(later.filter((each) => each)).toHaveLength(1);
  });

  it('counts a value once, names never, and each channel for itself', () => {
    const watch = new ChannelWatch();
    const told = [
      ...Array.from({ length: 100 }, () => watch.note('same', value(1), 512, 0)),
      ...Array.from({ length: 100 }, (_, i) =>
        watch.note('names', `some-plain-name-number-${'abcdefghij'[i % 10] ?? ''}`, 512, 0),
      ),
      ...Array.from({ length: 100 }, (_, i) => watch.note('short', `id${i}`, 512, 0)),
      ...Array.from({ length: 100 }, (_, i) => watch.note(`channel ${i}`, value(i), 512, 0)),
    ];
    expect(told).not.toContain(true);
  });

  it('forgets what was an hour ago', () => {
    const watch = new ChannelWatch();
    const told = Array.from({ length: 100 }, (_, i) => watch.note('x', value(i), 512, i * 600_000));
    expect(told).not.toContain(true);
  });
});

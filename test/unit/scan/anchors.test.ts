import { describe, expect, it } from 'vitest';
import { Anchors } from '../../../src/scan/anchors.ts';

describe('Anchors', () => {
  it('tell where in the parent a place stood', () => {
    const anchors = new Anchors();
    expect(anchors.sourceOf(5)).toBe(0);
    anchors.add(0, 100, 1);
    anchors.add(10, 110, 1);
    anchors.add(20, 120, 3);
    anchors.add(21, 123, 1);
    expect([0, 15, 20, 21, 25].map((place) => anchors.sourceOf(place))).toEqual([100, 115, 120, 123, 127]);
  });

  it('forget the older half once nobody asks for it, and all of it at the end', () => {
    const anchors = new Anchors();
    for (let place = 0; place < 100; place++) anchors.add(place, place * 3, 0);
    anchors.drop(40);
    expect(anchors.sourceOf(10)).toBe(30);
    anchors.drop(60);
    expect(anchors.sourceOf(10)).toBe(150);
    expect(anchors.sourceOf(70)).toBe(210);
    anchors.clear();
    expect(anchors.sourceOf(70)).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { SCAN_KEYS } from '../../../src/model/scan-profile.ts';
import { detector, scan, scanMap } from '../../../src/policy/scan-schema.ts';

describe('the schema of scanning', () => {
  it('has a key for every matter a profile may say something of, each described', () => {
    expect(Object.keys(scanMap.shape).sort()).toEqual([...SCAN_KEYS, 'detectors'].sort());
    for (const each of Object.values(scanMap.shape)) expect(each.description).toBeTruthy();
    for (const each of Object.values(detector.shape)) expect(each.description).toBeTruthy();
  });

  it('takes a word or a map', () => {
    expect(scan.safeParse('off').success).toBe(true);
    expect(scan.safeParse({ secrets: 'alert', detectors: { jwt: 'off' } }).success).toBe(true);
    expect(scan.safeParse({ secrets: 'never' }).success).toBe(false);
  });
});

import { expect, it } from 'vitest';
import { FAMILIES, FINDERS, SEVERITIES, VALIDATOR_NAMES } from '../../../src/model/detector.ts';
import { SCAN_KEYS, scanKeyOf } from '../../../src/model/scan-profile.ts';
import { VALIDATORS } from '../../../src/scan/validators/list.ts';

it('every name rules may use stands for something', () => {
  expect(Object.keys(VALIDATORS).sort()).toEqual([...VALIDATOR_NAMES].sort());
  expect(new Set([...FINDERS, ...SEVERITIES]).size).toBe(FINDERS.length + SEVERITIES.length);
  const keys = FAMILIES.flatMap((family) => [scanKeyOf(family, 'to-upstream'), scanKeyOf(family, 'to-agent')]);
  expect(new Set(keys.filter((key) => key !== null))).toEqual(new Set(SCAN_KEYS));
});

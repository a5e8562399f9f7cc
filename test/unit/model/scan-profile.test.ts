import { describe, expect, it } from 'vitest';
import { ScanProfile, type ScanAction, type ScanKey, type ScanTerms } from '../../../src/model/scan-profile.ts';

function terms(actions: Partial<Record<ScanKey, ScanAction>>, more: Partial<ScanTerms> = {}): ScanTerms {
  return {
    off: false,
    resets: false,
    actions: new Map(Object.entries(actions) as Array<[ScanKey, ScanAction]>),
    detectors: new Map(),
    ...more,
  };
}

describe('ScanProfile', () => {
  it('takes the nearest word on each matter, and what ships where there is none', () => {
    const profile = new ScanProfile([
      terms({ secrets: 'alert' }),
      null,
      terms({ secrets: 'off', 'personal-data': 'redact' }),
    ]);
    expect(profile.action('x', 'secrets')).toBe('alert');
    expect(profile.action('x', 'personal-data')).toBe('redact');
    expect(profile.action('x', 'exfiltration')).toBe('alert');
    expect(new ScanProfile([]).action('x', 'secrets')).toBe('deny');
  });

  it('asks of a detector before its family, at each place', () => {
    const near = terms({}, { detectors: new Map([['us-ein', 'off']]) });
    const profile = new ScanProfile([near, terms({ 'personal-data': 'deny' })]);
    expect(profile.action('us-ein', 'personal-data')).toBe('off');
    expect(profile.action('us-ssn', 'personal-data')).toBe('deny');
  });

  it('forgets what those further out say behind `default`, and is off where the nearest says so', () => {
    const reset = terms({}, { resets: true });
    expect(new ScanProfile([reset, terms({ secrets: 'off' })]).action('x', 'secrets')).toBe('deny');
    expect(new ScanProfile([terms({}, { off: true })]).off).toBe(true);
    expect(new ScanProfile([reset, terms({}, { off: true })]).off).toBe(false);
    // An agent that is not scanned, and a capability that says of one family what is to be done.
    const partly = new ScanProfile([terms({ secrets: 'deny' }), terms({}, { off: true })]);
    expect([partly.off, partly.action('x', 'secrets'), partly.action('x', 'documents')]).toEqual([
      false,
      'deny',
      'off',
    ]);
  });
});

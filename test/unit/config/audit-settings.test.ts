import { expect, it } from 'vitest';
import { AUDIT_SETTINGS } from '../../../src/config/audit-settings.ts';
import { SETTINGS } from '../../../src/config/settings.ts';

it('are all about the audit log, and all among the settings', () => {
  expect(AUDIT_SETTINGS.every(({ key }) => key.startsWith('audit.'))).toBe(true);
  expect(SETTINGS.filter(({ key }) => key.startsWith('audit.'))).toEqual(AUDIT_SETTINGS);
});

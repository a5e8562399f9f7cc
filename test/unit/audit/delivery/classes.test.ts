import { expect, it } from 'vitest';
import { classesOf } from '../../../../src/audit/delivery/classes.ts';
import { denial } from './support.ts';

it('tells an exchange by its decision, and by whether something was found in it', () => {
  const findings = [{ severity: 'low' }] as never;
  expect(classesOf(denial())).toEqual(['denied']);
  expect(classesOf(denial({ decision: 'would-deny' }))).toEqual(['would-deny']);
  expect(classesOf(denial({ decision: 'allow', findings }))).toEqual(['allowed', 'findings']);
});

it.each(['intent', 'segment', 'checkpoint'])('tells nobody of a %s', (kind) => {
  expect(classesOf({ kind } as never)).toEqual([]);
});

import { expect, it } from 'vitest';
import { EVENT_CLASSES } from '../../../src/model/sink.ts';
import { classesOf } from '../../../src/audit/delivery/classes.ts';
import { EVENTS, denial } from '../audit/delivery/support.ts';

it('has each class that some event is of, and no other', () => {
  const findings = [{ severity: 'low' }] as never;
  const events = [...EVENTS, denial(), denial({ decision: 'would-deny' }), denial({ findings })];
  expect(new Set(events.flatMap(classesOf))).toEqual(new Set(EVENT_CLASSES));
});

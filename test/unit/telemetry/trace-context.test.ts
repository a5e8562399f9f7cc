import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readTraceparent, traceparentOf } from '../../../src/telemetry/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

// W3C Trace Context, level 1, sections 3.2 and 4.
it.each<[readonly string[], boolean | null]>([
  [[`00-${TRACE}-${SPAN}-01`], true],
  [[`00-${TRACE}-${SPAN}-00`], false],
  [[`00-${TRACE}-${SPAN}-ff`], true],
  [[`cc-${TRACE}-${SPAN}-01`], true],
  [[`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`], true],
  [[`cc-${TRACE}-${SPAN}-01.what`], null],
  [[`00-${TRACE}-${SPAN}-01-more`], null],
  [[`ff-${TRACE}-${SPAN}-01`], null],
  [[`00-${'0'.repeat(32)}-${SPAN}-01`], null],
  [[`00-${TRACE}-${'0'.repeat(16)}-01`], null],
  [[`00-${TRACE.toUpperCase()}-${SPAN}-01`], null],
  [[`00-${TRACE}-${SPAN}`], null],
  [[], null],
  [[`00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01`], null],
])('reads %j', (values, sampled) => {
  expect(readTraceparent(values)).toEqual(sampled === null ? null : { trace: TRACE, span: SPAN, sampled });
});

it('reads what it writes', () => {
  const hex = (length: number) =>
    fc
      .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
      .filter((text) => !/^0+$/.test(text));
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (trace, span, sampled) => {
      expect(readTraceparent([traceparentOf({ trace, span, sampled })])).toEqual({ trace, span, sampled });
    }),
  );
});

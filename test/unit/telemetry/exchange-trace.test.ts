import { expect, it } from 'vitest';
import { ExchangeTrace, SENDING } from '../../../src/telemetry/exchange-trace.ts';

let count = 0;
const id = (bytes: number): string => String(++count).padStart(bytes * 2, '0');

it('goes on with the trace it is given, or begins one, in a span of its own', () => {
  const parent = { trace: 'a'.repeat(32), span: 'b'.repeat(16), sampled: true };
  const going = new ExchangeTrace(parent, true, id);
  expect([going.trace, going.parent]).toEqual([parent.trace, parent]);
  const begun = new ExchangeTrace(null, true, id);
  expect(begun.trace).toHaveLength(32);
  expect(begun.span).toHaveLength(16);
  expect(begun.span).not.toBe(going.span);
});

it('notes steps in order; the one that sends has the span that the upstream was told', () => {
  const trace = new ExchangeTrace(null, true, id);
  trace.step('decide');
  const { sending } = trace;
  trace.step(SENDING);
  trace.step('relay');
  expect(trace.steps.map(({ name }) => name)).toEqual(['decide', SENDING, 'relay']);
  expect(trace.steps[1]?.span).toBe(sending);
  expect(new Set(trace.steps.map(({ span }) => span)).size).toBe(3);
});

it('notes nothing of what is not sampled', () => {
  const trace = new ExchangeTrace(null, false, id);
  trace.step('decide');
  expect(trace.steps).toEqual([]);
  expect(trace.sending).toBe(trace.sending);
});

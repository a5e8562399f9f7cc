import { expect, it, vi } from 'vitest';
import type { TracedExchange } from '../../../src/telemetry/otlp-spans.ts';
import { Tracer, type TracerOptions } from '../../../src/telemetry/tracer.ts';

function open(more: Partial<TracerOptions> = {}) {
  const bodies: string[] = [];
  const counts = { exported: 0, dropped: 0 };
  const states: Array<string | null> = [];
  const tracer = new Tracer({
    share: 1,
    version: '1',
    instance: 'i',
    post: async (body) => Promise.resolve(bodies.push(body)),
    onSpans: (result, count) => (counts[result] += count),
    onState: (problem) => states.push(problem),
    ...more,
  });
  const end = (traceparent: readonly string[] = []): void => {
    const trace = tracer.begin(traceparent);
    trace.step('decide');
    tracer.end({
      trace,
      id: 'x',
      started: 0,
      ended: 1,
      source: '',
      decision: 'allow',
      outcome: 'delivered',
      method: null,
      scheme: null,
      host: null,
      port: null,
      path: null,
      status: null,
      agent: null,
      capability: null,
      rule: null,
      reason: null,
    } satisfies TracedExchange);
  };
  return { tracer, end, bodies, counts, states };
}
const spansIn = (body: string | undefined): number => (body ?? '').match(/"spanId"/g)?.length ?? 0;

it('sends what waits soon, and at once where it is much', async () => {
  const { tracer, end, bodies, counts } = open();
  end();
  await vi.waitFor(() => expect(bodies).toHaveLength(1), 3000);
  expect(spansIn(bodies[0])).toBe(2);
  for (let index = 0; index < 300; index++) end();
  await vi.waitFor(() => expect(bodies.length).toBeGreaterThan(1), 900);
  await tracer.flush(60_000);
  expect(counts).toEqual({ exported: 602, dropped: 0 });
  tracer.close();
});

it('samples its share of the traces it begins, and follows those that others began', async () => {
  const { tracer, end, counts } = open({ share: 0 });
  end();
  const parent = (flags: string): string[] => [`00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}`];
  end(parent('00'));
  end(parent('01'));
  await tracer.flush(60_000);
  expect(counts.exported).toBe(2);
  tracer.close();
  const { tracer: all } = open({ share: 1 });
  expect(all.begin(parent('00')).sampled).toBe(false);
  expect(all.begin([]).sampled).toBe(true);
  all.close();
});

it('gives up what the collector does not take, says so once, and goes on when it does', async () => {
  let fails = true;
  const { tracer, end, counts, states } = open({
    post: () => (fails ? Promise.reject(new Error('ECONNREFUSED')) : Promise.resolve()),
  });
  vi.useFakeTimers();
  end();
  const flushed = tracer.flush(60_000);
  await vi.advanceTimersByTimeAsync(10_000);
  await flushed;
  vi.useRealTimers();
  expect(counts).toEqual({ exported: 0, dropped: 2 });
  fails = false;
  end();
  await tracer.flush(60_000);
  expect(counts).toEqual({ exported: 2, dropped: 2 });
  expect(states).toEqual(['ECONNREFUSED', null]);
  tracer.close();
});

it('holds no more than it should while the collector is slow', () => {
  const { tracer, end, counts } = open({ post: () => new Promise(() => undefined) });
  for (let index = 0; index < 12_000; index++) end();
  expect(counts.dropped).toBeGreaterThan(1000);
  tracer.close();
});

it('draws ids that differ', () => {
  const { tracer } = open();
  const ids = Array.from({ length: 2000 }, () => tracer.begin([]).trace);
  expect(new Set(ids).size).toBe(2000);
  expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
  tracer.close();
});

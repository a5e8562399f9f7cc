import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { TraceMetrics } from '../../../src/telemetry/trace-metrics.ts';

it('counts spans by what became of them', async () => {
  const registry = new Registry();
  const metrics = new TraceMetrics(registry);
  metrics.spans('exported', 3);
  metrics.spans('dropped', 1);
  metrics.spans('exported', 2);
  const text = await registry.metrics();
  expect(text).toContain('sallyport_trace_spans_total{result="exported"} 5');
  expect(text).toContain('sallyport_trace_spans_total{result="dropped"} 1');
});

import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { SinkMetrics } from '../../../src/telemetry/sink-metrics.ts';

it('adds up what each sink tells, and knows all of them from the start', async () => {
  const registry = new Registry();
  const metrics = new SinkMetrics(registry);
  metrics.known(['soc', 'siem']);
  expect(await registry.metrics()).toContain('sallyport_sink_dropped_total{sink="siem"} 0');
  const report = { sink: 'soc', delivered: 5, dropped: 1, failures: 2, behind: 100, failing: true };
  metrics.report(report);
  metrics.report({ ...report, behind: 0, failing: false });
  const text = await registry.metrics();
  for (const line of [
    'delivered_total{sink="soc"} 10',
    'dropped_total{sink="soc"} 2',
    'failures_total{sink="soc"} 4',
    'behind_bytes{sink="soc"} 0',
    'failing{sink="soc"} 0',
  ])
    expect(text).toContain(`sallyport_sink_${line}\n`);
});

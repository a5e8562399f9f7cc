import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { AuditMetrics } from '../../../src/telemetry/audit-metrics.ts';

it('tells how the log does when it is asked, and how often it did not', async () => {
  const registry = new Registry();
  const metrics = new AuditMetrics(registry);
  const log = { healthy: true, behind: { waiting: 1, unsigned: 2, seconds: 3 } };
  metrics.read(log);
  metrics.failed();
  metrics.troubled();
  const text = await registry.metrics();
  for (const line of [
    'audit_failures_total 1',
    'audit_troubles_total 1',
    'audit_writable 1',
    'audit_waiting_events 1',
    'audit_unsigned_events 2',
    'audit_unsigned_seconds 3',
  ])
    expect(text).toContain(`sallyport_${line}\n`);
  log.healthy = false;
  expect(await registry.metrics()).toContain('sallyport_audit_writable 0\n');
});

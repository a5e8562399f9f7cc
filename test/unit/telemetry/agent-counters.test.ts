import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { AgentCounters } from '../../../src/telemetry/agent-counters.ts';

it('an agent that is known is there with 0 before it does anything, and keeps what it did', async () => {
  const registry = new Registry();
  const counters = new AgentCounters(registry);
  counters.know('bot');
  expect(await registry.metrics()).toContain('sallyport_agent_denied_total{agent="bot"} 0\n');
  expect(await registry.metrics()).toContain('sallyport_agent_findings_total{agent="bot",action="alert"} 0\n');
  counters.denied('bot');
  counters.found('bot', 'deny');
  counters.know('bot');
  const text = await registry.metrics();
  expect(text).toContain('sallyport_agent_denied_total{agent="bot"} 1\n');
  expect(text).toContain('sallyport_agent_findings_total{agent="bot",action="deny"} 1\n');
});

import { expect, it } from 'vitest';
import { Metrics, type CountedExchange } from '../../../src/telemetry/metrics.ts';

const exchange: CountedExchange = {
  agent: 'bot',
  decision: 'allow',
  reason: null,
  capability: 'c',
  totalSeconds: 0.1,
  decisionSeconds: 0.000_001,
  consultSeconds: null,
  upstreamSeconds: 0.05,
  scanSeconds: 0.001,
  sent: 1,
  received: 2,
};

it('labels only what the policy knows, and a bounded number of agents', async () => {
  const metrics = new Metrics({
    knownAgent: (name) => name !== 'ghost',
    knownCapability: (name) => name === 'c',
  });
  metrics.readTraffic({
    openTunnels: () => 3,
    openConnections: () => 4,
    leafCounts: () => ({ mints: 1, hits: 2 }),
    turnedAway: () => ({ crowded: 5, silent: 6 }),
    waiting: () => 7,
  });
  metrics.agentsKnown(['quiet']);
  metrics.exchange(exchange);
  metrics.exchange({ ...exchange, agent: 'ghost', capability: 'made-up' });
  for (let i = 0; i < 1100; i++) metrics.exchange({ ...exchange, agent: `a${i}` });
  for (const reason of ['host-not-allowed', 'upstream-unreachable', 'agent-unknown', 'budget-exhausted'] as const)
    metrics.exchange({ ...exchange, decision: 'deny', reason });
  metrics.certificatesEnd(new Map([['ca', 12]]));
  metrics.policyChanged('loaded', 'abc', 1);
  metrics.policyRead('failed');
  metrics.audit.failed();
  const text = await metrics.registry.metrics();
  metrics.close();
  expect(text).toContain('sallyport_requests_total{agent="bot",decision="allow",reason="",capability="c"} 1');
  expect(text).toContain('sallyport_requests_total{agent="",decision="allow",reason="",capability=""} 1');
  expect(text).not.toMatch(/ghost|made-up/);
  expect(
    new Set([...text.matchAll(/sallyport_requests_total\{agent="([^"]*)"/g)].map((match) => match[1])).size,
  ).toBeLessThanOrEqual(1002);
  expect(text).toMatch(/agent="other",decision="allow",reason="",capability="c"} 102\b/);
  expect(text).toContain('sallyport_tunnels_open 3');
  expect(text).toContain('sallyport_certificate_expires_seconds{certificate="ca"} 12');
  // What was denied for what it asked, and not what failed.
  for (const line of ['{agent="bot"} 2', '{agent="quiet"} 0', '{agent=""} 0'])
    expect(text).toContain(`sallyport_agent_denied_total${line}\n`);
  expect(text).toContain('sallyport_connections_turned_away_total{cause="silent"} 6');
  expect(text).toContain('sallyport_turns_waiting 7');
  expect(text).toContain('sallyport_bytes_total{direction="received"} 2212');
  expect(text).toContain('sallyport_policy_loads_total{result="failed"} 1');
});

import { expect, it } from 'vitest';
import { aggregatedText, retired, type ScrapedMetric } from '../../../src/telemetry/aggregate.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';

async function scraped(requests: number, tunnels: number): Promise<ScrapedMetric[]> {
  const metrics = new Metrics({ knownAgent: () => true, knownCapability: () => true });
  metrics.readTraffic({
    openTunnels: () => tunnels,
    openConnections: () => 0,
    leafCounts: () => ({ mints: 1, hits: 0 }),
    turnedAway: () => ({ crowded: 0, silent: 0 }),
    waiting: () => 0,
  });
  for (let i = 0; i < requests; i++)
    metrics.exchange({
      agent: 'bot',
      decision: 'allow',
      reason: null,
      capability: null,
      totalSeconds: 0.1,
      decisionSeconds: null,
      consultSeconds: null,
      upstreamSeconds: null,
      scanSeconds: null,
      sent: 0,
      received: 0,
    });
  // As it comes over a channel between processes.
  const json = JSON.parse(JSON.stringify(await metrics.registry.getMetricsAsJSON())) as ScrapedMetric[];
  metrics.close();
  return json;
}

it('adds up counters, histograms and gauges of all processes', async () => {
  const text = await aggregatedText([await scraped(2, 3), await scraped(5, 4)]);
  expect(text).toContain('sallyport_requests_total{agent="bot",decision="allow",reason="",capability=""} 7');
  expect(text).toContain('sallyport_request_seconds_bucket{le="0.1"} 7');
  expect(text).toContain('sallyport_request_seconds_count 7');
  expect(text).toContain('sallyport_tunnels_open 7');
  expect(text).toContain('sallyport_store_available 1');
  expect(text).toContain('sallyport_leaf_mints_total 2');
});

it('keeps what a process counted when it is gone, and lets its gauges go', async () => {
  let gone = await retired([], await scraped(2, 3));
  gone = await retired(gone, await scraped(4, 1));
  const text = await aggregatedText([await scraped(1, 5), gone]);
  expect(text).toContain('sallyport_requests_total{agent="bot",decision="allow",reason="",capability=""} 7');
  expect(text).toContain('sallyport_request_seconds_count 7');
  expect(text).toContain('sallyport_tunnels_open 5');
});

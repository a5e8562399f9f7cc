import { expect, it } from 'vitest';
import { Registry } from 'prom-client';
import { HotCounter, HotHistogram } from '../../../src/telemetry/hot.ts';

it('what is added is what Prometheus reads', async () => {
  const registry = new Registry();
  const counter = new HotCounter('c_total', 'A counter.', ['a', 'b'], registry);
  const histogram = new HotHistogram('h_seconds', 'A histogram.', [1, 2], registry);
  counter.add('x y', () => ['x', 'y'], 1);
  counter.add('x y', () => ['x', 'y'], 2);
  for (const value of [0.5, 1, 1.5, 9]) histogram.observe(value);
  const text = await registry.metrics();
  expect(text).toContain('# TYPE c_total counter\nc_total{a="x",b="y"} 3');
  expect(text).toContain(
    'h_seconds_bucket{le="1"} 2\nh_seconds_bucket{le="2"} 3\nh_seconds_bucket{le="+Inf"} 4\nh_seconds_sum 12\nh_seconds_count 4',
  );
});

import { expect, it } from 'vitest';
import { Coalescer } from '../../../../src/audit/delivery/coalesce.ts';
import { pagerdutyEvent } from '../../../../src/audit/delivery/pagerduty.ts';
import { denial, sent } from './support.ts';

const event = (more: Parameters<typeof denial>[0]): Readonly<Record<string, unknown>> => {
  const [digest] = new Coalescer(0).add([sent(denial(more))], {}, 0);
  return pagerdutyEvent(digest as NonNullable<typeof digest>, 'key');
};

it('triggers an incident with what is known of it', () => {
  expect(event({})).toMatchObject({
    routing_key: 'key',
    event_action: 'trigger',
    payload: {
      summary: 'Bot was denied: host-not-allowed',
      source: 'bot',
      severity: 'warning',
      class: 'host-not-allowed',
      timestamp: denial().time,
      custom_details: { Exchange: 'x-1', count: 1 },
    },
  });
});

it('is one incident for one cause', () => {
  expect(event({ host: 'b.test' })['dedup_key']).toBe(event({})['dedup_key']);
  expect(event({ agent: 'cat' })['dedup_key']).not.toBe(event({})['dedup_key']);
});

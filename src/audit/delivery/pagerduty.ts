import { hash } from 'node:crypto';
import type { Digest } from './coalesce.ts';
import { digestText } from './digest-text.ts';

/** Longest summary PagerDuty takes. */
const LONGEST = 1024;

/** An event for PagerDuty's Events API v2. Those of one cause are one incident (`dedup_key`), until somebody resolves it. */
export function pagerdutyEvent(digest: Digest, routingKey: string): Readonly<Record<string, unknown>> {
  const { cause, count, last } = digest;
  const { title, facts } = digestText(digest);
  return {
    routing_key: routingKey,
    event_action: 'trigger',
    dedup_key: `sallyport-${hash('sha256', cause.key, 'hex').slice(0, 32)}`,
    client: 'Sallyport',
    payload: {
      summary: title.slice(0, LONGEST),
      source: cause.agent ?? 'sallyport',
      severity: cause.severity,
      timestamp: last.event.time,
      component: 'sallyport',
      class: cause.reason,
      custom_details: { ...Object.fromEntries(facts), count },
    },
  };
}

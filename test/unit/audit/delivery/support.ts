import type { AuditEvent, OutcomeEvent } from '../../../../src/model/audit-event.ts';
import type { SentEvent } from '../../../../src/audit/delivery/event.ts';
import { OUTCOME } from '../support.ts';

const TIME = '2026-01-01T00:00:00.000Z';

/** An event of each kind that sinks are told of. */
export const EVENTS: readonly AuditEvent[] = [
  OUTCOME,
  {
    agent: 'bot',
    began: TIME,
    exchange: 'x-2',
    kind: 'interrupted',
    method: 'POST',
    path: '/a',
    target: 'https://api.test:443',
    time: TIME,
  },
  { action: 'halted', by: 'ann', kind: 'halt', reason: 'runaway', scope: 'agent bot', time: TIME },
  {
    action: 'loaded',
    by: 'gate',
    generation: 'abc',
    kind: 'policy',
    previous: null,
    reason: 'the rules were read',
    time: TIME,
  },
  { action: 'created', agent: 'bot', by: 'ann', kind: 'session', session: 's-1', time: TIME },
  { action: 'restored', detail: 'the file was deleted', kind: 'audit-log', segment: 'a.jsonl', time: TIME },
  { action: 'dropped', count: 3, detail: 'refused', kind: 'sink', sink: 'soc', time: TIME },
];

export function denial(more: Partial<OutcomeEvent> = {}): OutcomeEvent {
  const detail = 'no rule of bot allows it';
  return { ...OUTCOME, decision: 'deny', detail, outcome: 'refused', reason: 'host-not-allowed', status: 403, ...more };
}

export function sent(event: AuditEvent, line = 7): SentEvent {
  return { id: `a.jsonl:${line}`, line: JSON.stringify(event), event };
}

import type { AuditEvent } from '../../model/audit-event.ts';
import type { EventClass } from '../../model/sink.ts';

/** What an event is about; empty for what is written for machines: intents (an outcome says the rest), segments, checkpoints. */
export function classesOf(event: AuditEvent): readonly EventClass[] {
  switch (event.kind) {
    case 'outcome': {
      const decision = ({ allow: 'allowed', deny: 'denied', 'would-deny': 'would-deny' } as const)[event.decision];
      return event.findings === undefined ? [decision] : [decision, 'findings'];
    }
    case 'interrupted':
    case 'halt':
    case 'policy':
    case 'session':
    case 'audit-log':
    case 'sink':
      return [event.kind];
    default:
      return [];
  }
}

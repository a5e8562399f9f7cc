import type { AuditEvent, OutcomeEvent } from '../../model/audit-event.ts';

export type Severity = 'info' | 'warning' | 'error' | 'critical';

/** Why people are told of an event. Events of one cause differ in what they are about, not in what is to be done. */
export interface Cause {
  /** The same for events of one cause. */
  readonly key: string;
  /** What happened, in words that fit one event and many. */
  readonly title: string;
  readonly severity: Severity;
  readonly agent: string | null;
  /** A reason code, or what kind of event it is. */
  readonly reason: string;
}

/** Severities of findings, by what is said to people. */
const FINDINGS: Readonly<Record<string, Severity>> = {
  low: 'info',
  medium: 'warning',
  high: 'error',
  critical: 'critical',
};
const ORDER: readonly Severity[] = ['info', 'warning', 'error', 'critical'];

/** The cause of an event: of a request, its agent and what was said of it, whatever host it was for. */
export function causeOf(event: AuditEvent): Cause {
  switch (event.kind) {
    case 'outcome':
      return causeOfOutcome(event);
    case 'interrupted':
      return cause('interrupted', event.agent, 'Requests of {agent} were cut off: the gate died', 'error');
    case 'halt':
      return {
        ...cause(
          `${event.action} ${event.scope}`,
          null,
          haltTitle(event.action, event.scope),
          event.action === 'revived' ? 'info' : 'critical',
        ),
        reason: event.action,
      };
    case 'policy':
      return cause(
        `policy ${event.action}`,
        null,
        `Rules: ${event.action} by ${event.by}`,
        event.action === 'rolled-back' ? 'warning' : 'info',
      );
    case 'session':
      return cause(`session ${event.action}`, event.agent ?? null, `Sessions: ${event.action} by ${event.by}`, 'info');
    case 'audit-log':
      return cause(`audit log ${event.action}`, null, `The audit log: ${event.action}`, 'critical');
    case 'sink':
      return cause(
        `sink ${event.sink} ${event.action}`,
        null,
        `Sink ${event.sink}: ${event.action}`,
        ['recovered', 'tested'].includes(event.action) ? 'info' : 'error',
      );
    default:
      return cause(event.kind, null, event.kind, 'info');
  }
}

function causeOfOutcome({ agent, decision, reason, findings = [] }: OutcomeEvent): Cause {
  const worst = findings.map(({ severity }) => FINDINGS[severity] ?? 'info').reduce(worse, 'info');
  if (decision === 'deny')
    return cause(reason ?? 'denied', agent, `{agent} was denied: ${reason ?? 'no reason'}`, worse('warning', worst));
  if (findings.length > 0) {
    const families = [...new Set(findings.map(({ family }) => family))].sort().join(', ');
    return cause(
      `found ${families}`,
      agent,
      `{agent} was let through with findings: ${families}`,
      worse('warning', worst),
    );
  }
  return decision === 'would-deny'
    ? cause(`would ${reason ?? ''}`, agent, `{agent} would have been denied: ${reason ?? 'no reason'}`, 'info')
    : cause('allowed', agent, '{agent} was allowed', 'info');
}

function cause(reason: string, agent: string | null, title: string, severity: Severity): Cause {
  const who = agent ?? 'an unknown agent';
  const text = title.replace('{agent}', () => who);
  return {
    key: JSON.stringify([agent, reason]),
    title: text.slice(0, 1).toUpperCase() + text.slice(1),
    severity,
    agent,
    reason,
  };
}

function haltTitle(action: string, scope: string): string {
  const words: Readonly<Record<string, string>> = {
    halted: 'Stopped',
    quarantined: 'Quarantined',
    enforced: 'Held to its rules',
    revived: 'Goes on',
  };
  return `${words[action] ?? action}: ${scope}`;
}

function worse(a: Severity, b: Severity): Severity {
  return ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b;
}

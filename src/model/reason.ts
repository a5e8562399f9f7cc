/** The closed list of reasons a request can be refused for (POLICY.md, "Refusals"), with what each means on the wire. */

interface ReasonEntry {
  /** HTTP status of the refusal. */
  readonly status: number;
  /** RFC 9209 §2.3 proxy error type. */
  readonly error: string;
  /** One line for people. */
  readonly title: string;
  /** True when the reason is part of the floor: enforced in every mode. */
  readonly floor: boolean;
}

const denied = (title: string, floor = false): ReasonEntry => ({
  status: 403,
  error: 'http_request_denied',
  title,
  floor,
});
const entry = (status: number, error: string, title: string): ReasonEntry => ({ status, error, title, floor: true });
/** The same where observing and warning let it pass. */
const softenable = (status: number, error: string, title: string): ReasonEntry => ({
  ...entry(status, error, title),
  floor: false,
});

const TABLE = {
  'agent-unknown': entry(407, 'http_request_denied', 'The gate does not know this agent'),
  halted: denied('The agent is halted', true),
  quarantined: denied('The agent is quarantined', true),
  'host-not-allowed': denied('The host is not on the allowlist of this agent'),
  'method-not-allowed': denied('The method is not on the allowlist of this agent'),
  'path-not-allowed': denied('The path is not on the allowlist of this agent'),
  'path-malformed': denied('The path has more than one reading', true),
  'query-not-allowed': denied('The query is not on the allowlist of this agent'),
  'header-not-allowed': denied('The headers are not on the allowlist of this agent'),
  'body-not-allowed': denied('The body is not on the allowlist of this agent'),
  'tool-not-found': denied('No such tool'),
  'tool-changed': denied('The tool is not the one that was reviewed'),
  'address-forbidden': denied('The address is out of reach', true),
  'authority-mismatch': denied('Two parts of the request name different hosts', true),
  'secret-found': denied('A secret was found'),
  'personal-data-found': denied('Personal data was found'),
  'registered-value-found': denied('A registered value was found', true),
  'injection-found': denied('Injected instructions were found'),
  'scan-budget': denied('The content is too costly to inspect'),
  'label-not-cleared': denied('Data read in this session may not go there'),
  'decision-point-denied': denied('An external policy denies this'),
  'approval-required': denied('A person has to approve this'),
  'approval-refused': denied('A person refused this'),
  'approval-expired': denied('The approval has expired'),
  'session-expired': denied('The session has expired', true),
  'body-too-large': entry(413, 'http_request_denied', 'The body is too large'),
  'request-malformed': entry(400, 'http_request_error', 'The request is malformed'),
  'rate-exceeded': softenable(429, 'http_request_denied', 'Too many requests'),
  'budget-exhausted': softenable(429, 'http_request_denied', 'The budget is used up'),
  'upstream-unreachable': entry(502, 'destination_unavailable', 'The upstream cannot be reached'),
  'upstream-untrusted': entry(502, 'tls_certificate_error', 'The upstream cannot prove who it is'),
  'upstream-malformed': entry(502, 'http_protocol_error', 'The upstream sent a malformed answer'),
  'upstream-timeout': entry(504, 'connection_timeout', 'The upstream did not answer in time'),
  'decision-point-unavailable': softenable(503, 'proxy_internal_error', 'An external policy cannot be asked'),
  'store-unavailable': softenable(503, 'proxy_internal_error', 'The counter store is unavailable'),
  'audit-unavailable': entry(503, 'proxy_internal_error', 'The audit log cannot be written'),
  'internal-fault': entry(503, 'proxy_internal_error', 'The gate made a mistake'),
} as const satisfies Record<string, ReasonEntry>;

export type Reason = keyof typeof TABLE;
export const REASONS: Readonly<Record<Reason, ReasonEntry>> = TABLE;
export const REASON_CODES = Object.keys(TABLE) as Reason[];

/** True when no mode softens this reason (POLICY.md, "Deciding" 1). */
export function isFloor(reason: Reason): boolean {
  return REASONS[reason].floor;
}

/** Something was found in what passed. */
export const FINDING_REASONS: ReadonlySet<Reason> = new Set<Reason>([
  'secret-found',
  'personal-data-found',
  'registered-value-found',
  'injection-found',
]);

/**
 * The agent asked for what its rules do not give it. Left out on purpose: the gate's own faults and an upstream's, limits that
 * are reached, what people have yet to decide, halts, and what a client's wrong set-up alone may bring about.
 */
export const MISCONDUCT_REASONS: ReadonlySet<Reason> = new Set<Reason>([
  ...FINDING_REASONS,
  'host-not-allowed',
  'method-not-allowed',
  'path-not-allowed',
  'path-malformed',
  'query-not-allowed',
  'header-not-allowed',
  'body-not-allowed',
  'tool-not-found',
  'address-forbidden',
  'authority-mismatch',
  'scan-budget',
  'label-not-cleared',
  'decision-point-denied',
]);

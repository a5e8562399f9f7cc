import type { AuditEvent, OutcomeEvent, RecordedFinding } from '../model/audit-event.ts';

/** Version of the schema (https://schema.ocsf.io). */
const VERSION = '1.3.0';
const CLASS = { uid: 4002, name: 'HTTP Activity' } as const;
const CATEGORY = { uid: 4, name: 'Network Activity' } as const;
/** `activity_id` of HTTP Activity, by method; everything else is 99. */
const ACTIVITIES: Readonly<Record<string, readonly [id: number, name: string]>> = {
  CONNECT: [1, 'Connect'],
  DELETE: [2, 'Delete'],
  GET: [3, 'Get'],
  HEAD: [4, 'Head'],
  OPTIONS: [5, 'Options'],
  POST: [6, 'Post'],
  PUT: [7, 'Put'],
  TRACE: [8, 'Trace'],
};
const OTHER = [99, 'Other'] as const;
const SEVERITIES: Readonly<Record<string, readonly [id: number, name: string]>> = {
  low: [2, 'Low'],
  medium: [3, 'Medium'],
  high: [4, 'High'],
  critical: [5, 'Critical'],
};
const INFORMATIONAL = [1, 'Informational'] as const;
/** A denial is worth as much as a finding of medium severity. */
const DENIED = [3, 'Medium'] as const;

/** One exchange as an event of OCSF's class HTTP Activity, with the profile Security Control. `version`: of the gate. */
export function ocsfOf(event: OutcomeEvent, version: string): Readonly<Record<string, unknown>> {
  const [activity, activityName] = ACTIVITIES[event.method ?? 'CONNECT'] ?? OTHER;
  const [severity, severityName] = severityOf(event);
  const denied = event.decision === 'deny';
  const { time, microseconds, agent, session, source, bytes, status, reason, detail, rule, capability } = event;
  return {
    activity_id: activity,
    activity_name: activityName,
    category_uid: CATEGORY.uid,
    category_name: CATEGORY.name,
    class_uid: CLASS.uid,
    class_name: CLASS.name,
    type_uid: CLASS.uid * 100 + activity,
    type_name: `${CLASS.name}: ${activityName}`,
    severity_id: severity,
    severity: severityName,
    time: Date.parse(time),
    duration: Math.round(microseconds / 1000),
    action_id: denied ? 2 : 1,
    action: denied ? 'Denied' : 'Allowed',
    disposition_id: denied ? 2 : 1,
    disposition: denied ? 'Blocked' : 'Allowed',
    status_id: event.outcome === 'delivered' ? 1 : 2,
    status: event.outcome === 'delivered' ? 'Success' : 'Failure',
    ...given('status_code', reason),
    ...given('status_detail', detail),
    metadata: {
      version: VERSION,
      profiles: ['security_control'],
      product: { name: 'Sallyport', vendor_name: 'Sallyport', version },
      uid: event.exchange,
      ...given('correlation_uid', event.tunnel),
    },
    actor: {
      user: { name: agent ?? 'unknown', type_id: 3, type: 'System' },
      ...(session === undefined ? {} : { session: { uid: session } }),
    },
    src_endpoint: { ip: source },
    dst_endpoint: { ...given('hostname', event.host), ...given('port', event.port), ...addressOf(event) },
    http_request: { http_method: event.method ?? 'CONNECT', uid: event.exchange, url: urlOf(event) },
    http_response: { code: status ?? 0, latency: Math.round(microseconds / 1000) },
    traffic: { bytes_in: bytes.received, bytes_out: bytes.sent },
    ...(rule === undefined ? {} : { firewall_rule: { name: rule, ...given('category', capability) } }),
    unmapped: {
      decision: event.decision,
      policy: event.policy,
      ...given('mode', event.mode),
      ...given('findings', event.findings),
    },
  };
}

/** Any event: an exchange as `ocsfOf` has it, anything else as OCSF's Base Event. `id`: where it stands in the log. */
export function ocsfEventOf(event: AuditEvent, version: string, id: string): Readonly<Record<string, unknown>> {
  if (event.kind === 'outcome') return ocsfOf(event, version);
  const { kind, time, ...said } = event;
  const reason = (said as { detail?: unknown; reason?: unknown }).detail ?? (said as { reason?: unknown }).reason;
  return {
    activity_id: 99,
    activity_name: kind,
    category_uid: 0,
    category_name: 'Uncategorized',
    class_uid: 0,
    class_name: 'Base Event',
    type_uid: 99,
    type_name: 'Base Event: Other',
    severity_id: INFORMATIONAL[0],
    severity: INFORMATIONAL[1],
    time: Date.parse(time),
    ...(typeof reason === 'string' ? { message: reason } : {}),
    metadata: { version: VERSION, product: { name: 'Sallyport', vendor_name: 'Sallyport', version }, uid: id },
    unmapped: { kind, ...said },
  };
}

function severityOf({ decision, findings = [] }: OutcomeEvent): readonly [id: number, name: string] {
  const all = findings.map(({ severity }: RecordedFinding) => SEVERITIES[severity] ?? INFORMATIONAL);
  const worst = all.reduce((a, b) => (b[0] > a[0] ? b : a), INFORMATIONAL as readonly [number, string]);
  return decision === 'deny' && worst[0] < DENIED[0] ? DENIED : worst;
}

/** What was dialled, where that is an address alone. */
function addressOf({ address }: OutcomeEvent): { readonly ip?: string } {
  return address === null || address.includes(' ') ? {} : { ip: address };
}

function urlOf(event: OutcomeEvent): Readonly<Record<string, unknown>> {
  const { scheme, host, port, path } = event;
  return {
    ...given('scheme', scheme),
    ...given('hostname', host),
    ...given('port', port),
    ...given('path', path),
    url_string: urlText(event),
  };
}

/** The URL of a request as far as it is on record: values of its query never are. */
export function urlText({ scheme, host, port, path, query }: OutcomeEvent): string {
  if (host === undefined) return '';
  const usual = (scheme === 'https' && port === 443) || (scheme === 'http' && port === 80);
  const names = query?.map(({ name }) => `${name}=`).join('&');
  return `${scheme ?? 'tcp'}://${host.includes(':') ? `[${host}]` : host}${usual || port === undefined ? '' : `:${port}`}${path ?? ''}${names === undefined ? '' : `?${names}`}`;
}

function given<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: Value };
}

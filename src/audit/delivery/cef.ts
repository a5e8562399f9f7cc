import type { AuditEvent, OutcomeEvent } from '../../model/audit-event.ts';
import { urlText } from '../ocsf.ts';
import { causeOf, type Severity } from './cause.ts';
import type { SentEvent } from './event.ts';

/** CEF's severities run from 0 to 10. */
const SEVERITIES: Readonly<Record<Severity, number>> = { info: 2, warning: 5, error: 7, critical: 10 };

type Extension = ReadonlyArray<readonly [key: string, value: string | number | null | undefined]>;

/** An event in ArcSight's Common Event Format (CEF:0), as most SIEMs read it. `version`: of the gate. */
export function cefOf({ event, id }: SentEvent, version: string): string {
  const { title, severity, reason } = causeOf(event);
  const head = ['Sallyport', 'Sallyport', version, reason, title, String(SEVERITIES[severity])].map(inHead);
  const extension = [...extensionOf(event), ['rt', Date.parse(event.time)], ['deviceExternalId', id]] as Extension;
  const pairs = extension.flatMap(([key, value]) =>
    value === undefined || value === null || value === '' ? [] : [`${key}=${inExtension(String(value))}`],
  );
  return `CEF:0|${head.join('|')}|${pairs.join(' ')}`;
}

function extensionOf(event: AuditEvent): Extension {
  if (event.kind === 'outcome') return outcomeOf(event);
  const members = event as unknown as Readonly<Record<string, unknown>>;
  const said = (name: string): string | undefined => (typeof members[name] === 'string' ? members[name] : undefined);
  return [
    ['cat', event.kind],
    ['act', said('action')],
    ['suser', said('agent') ?? said('by')],
    ['msg', said('detail') ?? said('reason')],
    ['externalId', said('exchange')],
    ['cnt', typeof members['count'] === 'number' ? members['count'] : undefined],
    ...labelled('cs', [
      ['scope', said('scope')],
      ['generation', said('generation')],
      ['session', said('session')],
      ['sink', said('sink')],
    ]),
  ];
}

function outcomeOf(event: OutcomeEvent): Extension {
  const { address } = event;
  const findings = event.findings?.map(({ detector, where }) => `${detector} in ${where}`).join(', ');
  return [
    ['cat', event.kind],
    ['act', event.decision],
    ['outcome', event.outcome],
    ['reason', event.reason],
    ['msg', event.detail],
    ['externalId', event.exchange],
    ['suser', event.agent],
    ['src', event.source],
    ['dhost', event.host],
    ['dpt', event.port],
    ['dst', address === null || address.includes(' ') ? undefined : address],
    ['requestMethod', event.method],
    ['request', urlText(event)],
    ['app', event.protocol],
    ['in', event.bytes.received],
    ['out', event.bytes.sent],
    ...labelled('cn', [['status', event.status]]),
    ...labelled('cs', [
      ['rule', event.rule],
      ['capability', event.capability],
      ['session', event.session],
      ['policy', event.policy],
      ['findings', findings],
      ['mode', event.mode],
    ]),
  ];
}

/** CEF has a handful of fields that are named by another field. */
function labelled(prefix: 'cs' | 'cn', values: Extension): Extension {
  return values.flatMap(([label, value], index) =>
    value === undefined || value === null
      ? []
      : [[`${prefix}${index + 1}`, value] as const, [`${prefix}${index + 1}Label`, label] as const],
  );
}

/** `|` and `\` are escaped in the head; a line may not end in it. */
function inHead(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\|]/g, '\\$&');
}

/** `=` and `\` are escaped in the extension, and line ends written as `\n`. */
function inExtension(text: string): string {
  return text.replace(/[\\=]/g, '\\$&').replace(/\r\n|\r|\n/g, '\\n');
}

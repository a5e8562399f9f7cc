import type { OutcomeEvent } from '../model/audit-event.ts';
import { urlText } from './ocsf.ts';

/** Columns of a table of exchanges. */
const COLUMNS = [
  'time',
  'exchange',
  'agent',
  'session',
  'source',
  'decision',
  'reason',
  'outcome',
  'status',
  'method',
  'url',
  'capability',
  'rule',
  'mode',
  'sent',
  'received',
  'microseconds',
  'findings',
  'policy',
] as const;

/** The first line of a table (RFC 4180). */
export const CSV_HEAD = `${COLUMNS.join(',')}\r\n`;

/** One exchange as a line of a table (RFC 4180). */
export function csvOf(event: OutcomeEvent): string {
  const { bytes, findings = [] } = event;
  const cells: Readonly<Record<string, unknown>> = {
    ...event,
    url: urlText(event),
    sent: bytes.sent,
    received: bytes.received,
    findings: findings.map(({ detector, where }) => `${detector} in ${where}`).join('; '),
  };
  return `${COLUMNS.map((name) => cell(cells[name])).join(',')}\r\n`;
}

/** What a spreadsheet would take for a formula is text here: an agent chose it. */
const FORMULA = /^[=+\-@\t\r]/;

function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = String(value);
  const harmless = typeof value === 'string' && FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** One exchange as an entry of an HTTP Archive (HAR 1.2). Headers, bodies and values of queries are not on record. */
export function harEntryOf(event: OutcomeEvent): Readonly<Record<string, unknown>> {
  const { time, microseconds, method, protocol, query = [], bytes, status, address, timing = {}, reason } = event;
  const all = microseconds / 1000;
  const sent = (timing.sent ?? microseconds) / 1000;
  const answered = (timing.answered ?? microseconds) / 1000;
  const version = protocol === 'h2' ? 'HTTP/2' : 'HTTP/1.1';
  return {
    startedDateTime: new Date(Date.parse(time) - all).toISOString(),
    time: all,
    request: {
      method: method ?? 'CONNECT',
      url: urlText(event),
      httpVersion: version,
      cookies: [],
      headers: [],
      queryString: query.map(({ name }) => ({ name, value: '' })),
      headersSize: -1,
      bodySize: bytes.sent,
    },
    response: {
      status: status ?? 0,
      statusText: reason ?? '',
      httpVersion: version,
      cookies: [],
      headers: [],
      content: { size: bytes.received, mimeType: '' },
      redirectURL: '',
      headersSize: -1,
      bodySize: bytes.received,
    },
    cache: {},
    timings: { send: sent, wait: Math.max(0, answered - sent), receive: Math.max(0, all - Math.max(answered, sent)) },
    ...(address === null || address.includes(' ') ? {} : { serverIPAddress: address }),
    comment: `${event.decision} ${event.exchange}`,
  };
}

import type { OutcomeEvent } from '../model/audit-event.ts';
import { urlText } from './ocsf.ts';
import type { SaidBody, SaidExchange, SaidMessage } from './transcripts/sheet.ts';

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

/** One exchange as an entry of an HTTP Archive (HAR 1.2). Headers and bodies stand in it where there is a transcript: they are not on record. */
export function harEntryOf(event: OutcomeEvent, said: SaidExchange | null = null): Readonly<Record<string, unknown>> {
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
      headers: said === null ? [] : fieldsOf(said.request),
      queryString: query.map(({ name }) => ({ name, value: '' })),
      headersSize: -1,
      bodySize: bytes.sent,
      ...(said === null || said.request.body.size === 0 ? {} : { postData: postDataOf(said.request) }),
    },
    response: {
      status: status ?? 0,
      statusText: reason ?? '',
      httpVersion: version,
      cookies: [],
      headers: said === null || said.response === null ? [] : fieldsOf(said.response),
      content: {
        size: bytes.received,
        mimeType: '',
        ...(said === null || said.response === null ? {} : contentOf(said.response)),
      },
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

interface Field {
  readonly name: string;
  readonly value: string;
}

function fieldsOf({ head }: SaidMessage): Field[] {
  return head
    .split('\r\n')
    .slice(1)
    .map((line) => /^([^:]*): ?(.*)$/s.exec(line))
    .flatMap((match) => (match === null ? [] : [{ name: match[1] as string, value: match[2] as string }]));
}

function mimeTypeOf(message: SaidMessage): string {
  return fieldsOf(message).find(({ name }) => name.toLowerCase() === 'content-type')?.value ?? '';
}

function postDataOf(message: SaidMessage): Readonly<Record<string, unknown>> {
  const { text, ...rest } = textOf(message.body);
  return { mimeType: mimeTypeOf(message), params: [], text, ...rest };
}

function contentOf(message: SaidMessage): Readonly<Record<string, unknown>> {
  return { mimeType: mimeTypeOf(message), ...textOf(message.body) };
}

/** A body as text; what is none, in Base64, and said so. */
function textOf({ bytes, note }: SaidBody): {
  readonly text: string;
  readonly encoding?: string;
  readonly comment?: string;
} {
  const comment = note === null ? {} : { comment: note };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), ...comment };
  } catch {
    return { text: Buffer.from(bytes).toString('base64'), encoding: 'base64', ...comment };
  }
}

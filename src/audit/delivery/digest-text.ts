import type { AuditEvent } from '../../model/audit-event.ts';
import { urlText } from '../ocsf.ts';
import type { Digest } from './coalesce.ts';

/** What people are shown of a digest: a line, and what stands below it by name. */
export interface DigestText {
  readonly title: string;
  readonly facts: ReadonlyArray<readonly [name: string, value: string]>;
}

/** Longest value that is shown. */
const MOST = 500;

/** The words for a digest. They hold no bytes that were found: neither does the log. */
export function digestText({ cause, count, first, last, hosts, hostCount, again }: Digest): DigestText {
  const times = again === null ? '' : ` (${count} more in ${durationText(again)})`;
  const more = hostCount > hosts.length ? ` and ${hostCount - hosts.length} more` : '';
  const facts: Array<readonly [string, string | undefined]> = [
    ['Hosts', hosts.length === 0 ? undefined : hosts.join(', ') + more],
    ...factsOf(last.event),
    ['When', again === null ? timeOf(last.event) : `${timeOf(first.event)} to ${timeOf(last.event)}`],
  ];
  return {
    title: `${cause.title}${times}`,
    facts: facts.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, cut(value)] as const])),
  };
}

function factsOf(event: AuditEvent): Array<readonly [string, string | undefined]> {
  switch (event.kind) {
    case 'outcome':
      return [
        ['Why', event.detail],
        ['Request', `${event.method ?? 'CONNECT'} ${urlText(event)}`],
        ['Rule', event.rule],
        ['Found', event.findings?.map(({ detector, where }) => `${detector} in ${where}`).join(', ')],
        ['Session', event.session],
        ['From', event.source],
        ['Exchange', event.exchange],
      ];
    case 'interrupted':
      return [
        ['Request', `${event.method ?? ''} ${event.target ?? ''}${event.path ?? ''}`.trim()],
        ['Exchange', event.exchange],
      ];
    case 'halt':
      return [
        ['Why', event.reason],
        ['By', event.by],
        ['Until', event.until],
      ];
    case 'policy':
      return [
        ['Why', event.reason],
        ['Rules', event.generation],
      ];
    case 'session':
      return [
        ['Session', event.session],
        ['By', event.by],
      ];
    case 'audit-log':
    case 'sink':
      return [
        ['Why', event.detail],
        ['Events', event.count === undefined ? undefined : String(event.count)],
      ];
    default:
      return [];
  }
}

/** Whole minutes and hours as such. */
export function durationText(milliseconds: number): string {
  if (milliseconds % 3_600_000 === 0) return `${milliseconds / 3_600_000} h`;
  return milliseconds % 60_000 === 0 ? `${milliseconds / 60_000} min` : `${Math.round(milliseconds / 1000)} s`;
}

function timeOf(event: AuditEvent): string {
  return event.time;
}

function cut(value: string): string {
  return value.length > MOST ? `${value.slice(0, MOST - 1)}…` : value;
}

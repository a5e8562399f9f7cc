import { causeOf, type Severity } from './cause.ts';
import type { SentEvent } from './event.ts';

/** "log audit" (RFC 5424, section 6.2.1). */
const FACILITY = 13;
const SEVERITIES: Readonly<Record<Severity, number>> = { info: 6, warning: 4, error: 3, critical: 2 };
// oxlint-disable-next-line no-control-regex -- what RFC 5424 allows in a name is printable ASCII
const NOT_PRINTABLE = /[^\u0021-\u007e]/g;

/** Who sends. */
export interface SyslogSender {
  readonly host: string;
  readonly process: number;
}

/**
 * A syslog message (RFC 5424) with its length before it (octet counting: RFC 6587, section 3.4.1, and RFC 5425). No structured data;
 * what is said stands in the message.
 */
export function syslogFrame({ event }: SentEvent, said: string, { host, process }: SyslogSender): string {
  const priority = FACILITY * 8 + SEVERITIES[causeOf(event).severity];
  const name = host.replace(NOT_PRINTABLE, '').slice(0, 255);
  const message = `<${priority}>1 ${event.time} ${name === '' ? '-' : name} sallyport ${process} ${event.kind} - ${said}`;
  return `${Buffer.byteLength(message)} ${message}`;
}

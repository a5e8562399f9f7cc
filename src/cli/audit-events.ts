import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { styleText } from 'node:util';
import { Option, type Command } from 'commander';
import { ocsfOf } from '../audit/ocsf.ts';
import { Search, type FoundEvent, type Wanted } from '../audit/search.ts';
import { CSV_HEAD, csvOf, harEntryOf } from '../audit/tables.ts';
import type { SaidExchange } from '../audit/transcripts/sheet.ts';
import type { AuditEvent, OutcomeEvent } from '../model/audit-event.ts';
import { auditFiles, collect, timeFrom } from './audit-files.ts';
import { eventsIn } from './events-in.ts';
import { GrowingFile } from './growing-file.ts';
import { CommandError, EXIT } from './exit.ts';
import { configOf, withSettings } from './settings.ts';
import { TranscriptReader, conversationText } from './transcripts.ts';
import { VERSION } from '../version.ts';

interface EventOptions extends Omit<Wanted, 'since' | 'until'> {
  readonly log?: string;
  readonly denied?: true;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
  readonly json?: true;
  readonly format?: 'ocsf' | 'csv' | 'har';
  readonly last?: string;
  readonly identity?: readonly string[];
}

/** How often a log that grows is looked at, in milliseconds. */
const LOOK = 100;
const LAST = 10;

/** `sallyport audit search`, `tail` and `show`: events for people. */
export function addEvents(audit: Command): void {
  withFilters(audit.command('search'))
    .description('print events of the log that fit, oldest first')
    .option('--since <time>', 'from this time on: 2026-01-31, 2026-01-31T12:00:00Z, or 15m for so long ago')
    .option('--until <time>', 'up to this time')
    .option('--limit <count>', 'print so many at most, the newest')
    .addHelpText(
      'after',
      '\nExamples:\n  sallyport audit search --agent support-bot --denied --since 15m\n  sallyport audit search --reason secret-found --json | jq .findings\n\nExit codes: 0 something was found, 1 nothing was, 2 wrong usage.',
    )
    .action((options: EventOptions, command: Command) => search(logOf(options, command), options));
  withFilters(audit.command('export'), 'export')
    .description('print exchanges that fit in the form of other tools')
    .addOption(
      new Option('--format <format>', 'OCSF 1.3 (a JSON line each), a table, or an HTTP Archive')
        .choices(['ocsf', 'csv', 'har'])
        .default('ocsf'),
    )
    .option('--since <time>', 'from this time on: 2026-01-31, 2026-01-31T12:00:00Z, or 15m for so long ago')
    .option('--until <time>', 'up to this time')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport audit export --format csv --since 1d > yesterday.csv\n\nHeaders, bodies and values of queries are not on record, and so in none of them, but for an HTTP Archive of what has a transcript (--identity).\n\nExit codes: 0 something was found, 1 nothing was, 2 wrong usage.',
    )
    .option(
      '--identity <file>',
      'put what transcripts have into an HTTP Archive; may be given more than once',
      collect,
      [],
    )
    .action((options: EventOptions, command: Command) =>
      exportAll(logOf(options, command), options, configOf(command).state),
    );
  withFilters(audit.command('tail'))
    .description('print the last events that fit, and those that come')
    .option('--last <count>', 'events to begin with', String(LAST))
    .addHelpText('after', '\nExample:\n  sallyport audit tail --agent support-bot --denied\n\nEnds with Ctrl-C.')
    .action((options: EventOptions, command: Command) => tail(logOf(options, command), options));
  withSettings(audit.command('show'), ['state'])
    .description('print everything that is on record of one exchange')
    .argument('<exchange>', 'its id, as refusals and events say it')
    .option('--log <path>', 'folder of the log, or a segment; that of the gate by default')
    .option('--json', 'print the events as they are written')
    .option(
      '--identity <file>',
      'read its transcript with this identity of age; may be given more than once',
      collect,
      [],
    )
    .addHelpText(
      'after',
      '\nExamples:\n  sallyport audit show sallyport-1a2b3c4d-17\n  sallyport audit show sallyport-1a2b3c4d-17 --identity auditor.key',
    )
    .action((exchange: string, options: EventOptions, command: Command) =>
      show(exchange, logOf(options, command), options, configOf(command).state),
    );
}

function withFilters(command: Command, form: 'events' | 'export' = 'events'): Command {
  const filtered = withSettings(command, ['state'])
    .option('--log <path>', 'folder of the log, or a segment; that of the gate by default')
    .option('--agent <name>', 'of this agent')
    .option('--session <id>', 'of this session')
    .option('--capability <name>', 'that this capability decided')
    .option('--host <name>', 'to this host')
    .option('--reason <reason>', 'denied for this reason, or would have been')
    .addOption(new Option('--decision <decision>', 'decided so').choices(['allow', 'deny', 'would-deny']))
    .option('--denied', 'the same as --decision deny')
    .option('--findings', 'in which something was found');
  return form === 'export' ? filtered : filtered.option('--json', 'print events as they are written');
}

function logOf({ log }: EventOptions, command: Command): string {
  return log ?? join(configOf(command).state, 'audit');
}

function wantedOf({ denied, decision, since, until, ...options }: EventOptions): Wanted {
  return {
    ...options,
    decision: decision ?? (denied === true ? 'deny' : undefined),
    since: since === undefined ? undefined : timeFrom('--since', since),
    until: until === undefined ? undefined : timeFrom('--until', until),
  };
}

const timed = ({ event }: FoundEvent): number => Date.parse(event.time);

function search(path: string, options: EventOptions): void {
  const limit = options.limit === undefined ? Infinity : countOf('--limit', options.limit);
  const print = printer(options);
  const { lanes } = auditFiles(path);
  // Of one chain they come in order, and need not be held.
  const held = lanes.size > 1 || limit < Infinity;
  const kept: FoundEvent[] = [];
  let count = 0;
  for (const found of eventsIn(path, wantedOf(options))) {
    count++;
    if (!held) print(found);
    else kept.push(found);
  }
  for (const found of kept.sort((a, b) => timed(a) - timed(b)).slice(-limit)) print(found);
  if (count === 0) process.exitCode = EXIT.negative;
}

async function exportAll(path: string, options: EventOptions, state: string): Promise<void> {
  const write = WRITERS[options.format ?? 'ocsf'];
  const identities = options.identity ?? [];
  const reader = identities.length === 0 ? null : await TranscriptReader.open(state, identities);
  const kept = reader === null ? new Map<string, readonly string[]>() : transcriptsIn(path);
  let count = 0;
  for (const { event } of eventsIn(path, wantedOf(options))) {
    if (event.kind !== 'outcome') continue;
    const objects = kept.get(event.exchange);
    const said = reader === null || objects === undefined ? null : await reader.read(objects);
    process.stdout.write(write.before(count++) + write.entry(event, said));
  }
  process.stdout.write(write.end(count));
  if (count === 0) process.exitCode = EXIT.negative;
}

/** Where the transcript of each exchange is. */
function transcriptsIn(path: string): Map<string, readonly string[]> {
  const kept = new Map<string, readonly string[]>();
  for (const { event } of eventsIn(path, { kind: 'transcript' }))
    if (event.kind === 'transcript') kept.set(event.exchange, event.objects);
  return kept;
}

interface Writer {
  /** What stands before an exchange; `count`: how many stand there already. */
  before(count: number): string;
  entry(event: OutcomeEvent, said: SaidExchange | null): string;
  end(count: number): string;
}

const HAR = `{"log":{"version":"1.2","creator":{"name":"sallyport","version":${JSON.stringify(VERSION)}},"entries":[`;
const WRITERS: Readonly<Record<'ocsf' | 'csv' | 'har', Writer>> = {
  ocsf: { before: () => '', entry: (event) => `${JSON.stringify(ocsfOf(event, VERSION))}\n`, end: () => '' },
  csv: {
    before: (count) => (count === 0 ? CSV_HEAD : ''),
    entry: csvOf,
    end: (count) => (count === 0 ? CSV_HEAD : ''),
  },
  har: {
    before: (count) => (count === 0 ? HAR : ',\n'),
    entry: (event, said) => JSON.stringify(harEntryOf(event, said)),
    end: (count) => `${count === 0 ? HAR : ''}]}}\n`,
  },
};

async function tail(path: string, options: EventOptions): Promise<void> {
  const last = countOf('--last', options.last ?? String(LAST));
  const finder = new Search(wantedOf(options));
  const print = printer(options);
  const files = new Map<string, GrowingFile>();
  const ended = new AbortController();
  process.once('SIGINT', () => ended.abort());
  for (let isFirst = true; !ended.signal.aborted; isFirst = false) {
    const found: FoundEvent[] = [];
    const { folder, lanes } = auditFiles(path);
    for (const name of [...lanes.values()].flat()) {
      let file = files.get(name);
      if (file === undefined) files.set(name, (file = new GrowingFile(join(folder, name))));
      for (const bytes of file.more()) found.push(...finder.in(bytes));
      if (isFirst && found.length > last * 100) found.splice(0, found.length - last);
    }
    found.sort((a, b) => timed(a) - timed(b));
    for (const each of isFirst ? found.slice(Math.max(0, found.length - last)) : found) print(each);
    await wait(LOOK, undefined, { signal: ended.signal }).catch(() => undefined);
  }
}

async function show(exchange: string, path: string, options: EventOptions, state: string): Promise<void> {
  const found = [...eventsIn(path, { exchange })];
  if (found.length === 0) throw new CommandError(`${path} has no event of an exchange ${exchange}`, EXIT.negative);
  for (const { event, line } of found)
    process.stdout.write(options.json === true ? `${line}\n` : `${details(event)}\n`);
  const identities = options.identity ?? [];
  if (identities.length === 0) return;
  const kept = found.map(({ event }) => event).find((event) => event.kind === 'transcript');
  if (kept === undefined) throw new CommandError(`there is no transcript of ${exchange}`, EXIT.negative);
  const said = await (await TranscriptReader.open(state, identities)).read(kept.objects);
  process.stdout.write(`\n${conversationText(said, safe)}\n`);
}

function countOf(option: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new CommandError(`${option}: "${text}" is no number`);
  return Number(text);
}

function printer({ json }: EventOptions): (found: FoundEvent) => void {
  return ({ event, line }) => void process.stdout.write(`${json === true ? line : summary(event)}\n`);
}

const COLOURS = { allow: 'green', deny: 'red', 'would-deny': 'yellow' } as const;

/** One line for people. Nothing an agent chose can move their cursor: control characters are shown as escapes. */
function summary(event: AuditEvent): string {
  const time = styleText('dim', event.time);
  if (event.kind !== 'outcome') return `${time}  ${styleText('cyan', event.kind)}  ${safe(restOf(event))}`;
  const { agent, decision, exchange, findings, outcome, reason, status, microseconds } = event;
  const parts = [
    time,
    safe(agent ?? '-'),
    styleText(COLOURS[decision], decision),
    ...(reason === undefined ? [] : [styleText('bold', reason)]),
    safe(requestOf(event)),
    ...(findings === undefined
      ? []
      : [styleText('red', findings.map(({ detector, where }) => `${detector} in ${safe(where)}`).join(', '))]),
    `${outcome === 'delivered' || outcome === 'refused' ? '' : `${outcome} `}${status ?? '-'}`,
    `${(microseconds / 1000).toFixed(1)} ms`,
    styleText('dim', exchange),
  ];
  return parts.join('  ');
}

function requestOf({ method, scheme, host, port, path }: OutcomeEvent): string {
  if (host === undefined) return '-';
  const usual = (scheme === 'https' && port === 443) || (scheme === 'http' && port === 80);
  return `${method ?? 'CONNECT'} ${scheme ?? 'tcp'}://${host}${usual || port === undefined ? '' : `:${port}`}${path ?? ''}`;
}

/** What else an event says, without its kind and time. */
function restOf(event: AuditEvent): string {
  return Object.entries(event)
    .filter(([name]) => name !== 'kind' && name !== 'time')
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

/** Everything an event says, a line each. */
function details(event: AuditEvent): string {
  const { kind, ...rest } = event;
  const width = Math.max(...Object.keys(rest).map(({ length }) => length));
  const lines = Object.entries(rest).map(([name, value]) => {
    const text = Array.isArray(value)
      ? value.map((each) => `\n    ${safe(JSON.stringify(each))}`).join('')
      : safe(plain(value));
    return `  ${styleText('dim', name.padEnd(width))}  ${text}`;
  });
  return `${styleText('bold', kind)}\n${lines.join('\n')}`;
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

function safe(text: string): string {
  return text.replace(CONTROL, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

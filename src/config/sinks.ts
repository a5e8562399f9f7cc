import { dirname, resolve } from 'node:path';
import { LineCounter, isMap, isNode, isScalar, parseDocument, type Document } from 'yaml';
import { z } from 'zod';
import { EVENT_CLASSES, type EventClass, type Secret, type Sink, type SinkTerms } from '../model/sink.ts';
import { parseDuration, parseSize } from '../model/units.ts';
import { ConfigError } from './config.ts';

const MOST_TEXT = 2000;
const text = z.string().min(1).max(MOST_TEXT);
const size = z
  .union([text, z.int().min(1)])
  .refine((value) => (parseSize(String(value)) ?? 0) >= 1, { error: 'write a size such as 1 GiB' })
  .transform((value) => parseSize(String(value)) as number);
const duration = text
  .refine((value) => parseDuration(value) !== null, { error: 'write a duration such as 5m' })
  .transform((value) => parseDuration(value) as number);
const web = text.refine((value) => /^https?:\/\/[^/]/.test(value) && URL.canParse(value), {
  error: 'write an address such as https://host/path',
});
const events = z.union([z.literal('all'), z.array(z.enum(EVENT_CLASSES)).min(1)]);
const node = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/@?#]+):(?<port>\d{1,5})$/;
const hostPort = text.refine((value) => isPort(node.exec(value)?.groups?.['port']), { error: 'write host:port' });

const terms = { events: events.optional(), spool: size.default(1024 ** 3) };
const receiver = {
  url: web.optional(),
  'url-file': text.optional(),
  'token-file': text.optional(),
  ca: text.optional(),
};

/** What a sink file may say, by kind. docs/reference/sinks.md is checked against it. */
export const SINK_SCHEMAS = {
  webhook: z.strictObject({
    kind: z.literal('webhook'),
    shape: z.enum(['events', 'slack', 'teams', 'pagerduty']).default('events'),
    ...receiver,
    'secret-file': text.optional(),
    'routing-key': text.optional(),
    'routing-key-file': text.optional(),
    coalesce: duration.optional(),
    ...terms,
  }),
  syslog: z.strictObject({
    kind: z.literal('syslog'),
    address: hostPort,
    transport: z.enum(['tcp', 'tls']).default('tls'),
    format: z.enum(['json', 'cef']).default('json'),
    ca: text.optional(),
    ...terms,
  }),
  ocsf: z.strictObject({ kind: z.literal('ocsf'), ...receiver, file: text.optional(), ...terms }),
  otlp: z.strictObject({ kind: z.literal('otlp'), ...receiver, ...terms }),
  kafka: z.strictObject({
    kind: z.literal('kafka'),
    brokers: z.array(hostPort).min(1),
    topic: z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, { error: 'letters, digits, ".", "_" and "-", up to 249' }),
    transport: z.enum(['tcp', 'tls']).default('tls'),
    mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
    user: text.optional(),
    'password-file': text.optional(),
    ca: text.optional(),
    ...terms,
  }),
  redis: z.strictObject({
    kind: z.literal('redis'),
    url: text
      .refine(isRedis, { error: 'write redis:// or rediss://[user:password@]host[:port][/database]' })
      .optional(),
    'url-file': text.optional(),
    stream: text,
    length: z.int().min(1).optional(),
    ca: text.optional(),
    ...terms,
  }),
} as const;

const anyKind = z.discriminatedUnion('kind', [
  SINK_SCHEMAS.webhook,
  SINK_SCHEMAS.syslog,
  SINK_SCHEMAS.ocsf,
  SINK_SCHEMAS.otlp,
  SINK_SCHEMAS.kafka,
  SINK_SCHEMAS.redis,
]);
type Written = z.infer<typeof anyKind>;
type WrittenOf<Kind extends Written['kind']> = Extract<Written, { kind: Kind }>;

/** What people are told of where they do not choose: nobody reads each request that was allowed. */
const FOR_PEOPLE: readonly EventClass[] = ['denied', 'findings', 'interrupted', 'halt', 'audit-log', 'sink'];
const PAGERDUTY = 'https://events.pagerduty.com/v2/enqueue';
const COALESCE = 300_000;

/** Reads one file of the folder of sinks. Throws ConfigError with one line: place, what is wrong, what is right. */
export function parseSink(file: string, source: string): Sink {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, merge: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const error = document.errors[0] ?? document.warnings[0];
  if (error !== undefined) throw new ConfigError(`${at(error.pos[0])}: ${error.message.split('\n')[0] ?? ''}`);
  const parsed = anyKind.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (!parsed.success) {
    const [issue] = parsed.error.issues as [z.core.$ZodIssue];
    throw new ConfigError(`${at(offsetOf(document, issue))}: ${messageOf(document, issue)}`);
  }
  const wrong = (key: string, message: string): ConfigError =>
    new ConfigError(`${at(offsetOf(document, { code: 'custom', path: [key], message }))}: ${message}`);
  return sinkOf(parsed.data, new Reading(file, wrong));
}

/** Where the thing is that an issue is about: an unknown key itself, else the value, else the map it is missing from. */
function offsetOf(document: Document, issue: z.core.$ZodIssue): number {
  if (issue.code === 'unrecognized_keys' && isMap(document.contents)) {
    const pair = document.contents.items.find(({ key }) => isScalar(key) && key.value === issue.keys[0]);
    if (isNode(pair?.key)) return pair.key.range?.[0] ?? 0;
  }
  for (let { path } = issue; path.length > 0; path = path.slice(0, -1)) {
    const found = document.getIn(path, true);
    if (isNode(found)) return found.range?.[0] ?? 0;
  }
  return document.contents?.range?.[0] ?? 0;
}

function messageOf(document: Document, issue: z.core.$ZodIssue): string {
  if (issue.path.length === 0 && issue.code === 'invalid_type') return 'a sink file is a map that says its "kind"';
  const key = issue.path.filter((part) => typeof part === 'string').at(-1) ?? 'the file';
  if (issue.code === 'unrecognized_keys') return `unknown key "${issue.keys[0] ?? ''}"; see docs/reference/sinks.md`;
  if (issue.code === 'invalid_union' && issue.path.at(-1) === 'kind')
    return `"kind" must be one of ${Object.keys(SINK_SCHEMAS).join(', ')}`;
  if (issue.code === 'invalid_union' && key === 'events')
    return `"events" must be all, or a list of ${EVENT_CLASSES.join(', ')}`;
  if (!document.hasIn(issue.path)) return `"${key}" is missing`;
  if (issue.code === 'invalid_value') return `"${key}" must be one of ${issue.values.map(String).join(', ')}`;
  return `"${key}": ${issue.message}`;
}

/** What is said in a file, as it is meant: paths start from its folder. */
class Reading {
  readonly #file: string;
  readonly wrong: (key: string, message: string) => ConfigError;

  constructor(file: string, wrong: Reading['wrong']) {
    this.#file = file;
    this.wrong = wrong;
  }

  terms({ events: wanted, spool }: Written, standard: readonly EventClass[] = EVENT_CLASSES): SinkTerms {
    const name = this.#file.replace(/^.*\//, '').replace(/\.ya?ml$/, '');
    return { name, events: wanted === undefined ? standard : wanted === 'all' ? EVENT_CLASSES : wanted, spool };
  }

  path(text: string | undefined): string | null {
    return text === undefined ? null : resolve(dirname(this.#file), text);
  }

  /** A secret that stands in the file, or in another one; null: in neither. */
  secret(key: string, text: string | undefined, file: string | undefined): Secret | null {
    if (text !== undefined && file !== undefined) throw this.wrong(`${key}-file`, `write "${key}" or "${key}-file"`);
    const path = this.path(file);
    return text !== undefined ? { text } : path !== null ? { file: path } : null;
  }

  url(
    said: { readonly url?: string | undefined; readonly 'url-file'?: string | undefined },
    standard?: string,
  ): Secret {
    const url = this.secret(
      'url',
      said.url ?? (said['url-file'] === undefined ? standard : undefined),
      said['url-file'],
    );
    if (url === null) throw this.wrong('kind', '"url" is missing: write it, or "url-file" for one that is a secret');
    return url;
  }
}

function sinkOf(said: Written, reading: Reading): Sink {
  if (said.kind === 'webhook') return webhookOf(said, reading);
  if (said.kind === 'kafka') return kafkaOf(said, reading);
  const [base, ca] = [reading.terms(said), reading.path(said.ca)];
  if (said.kind === 'syslog') {
    const { kind, address, transport, format } = said;
    const port = node.exec(address)?.groups?.['port'] ?? '';
    const host = address.slice(0, -port.length - 1).replace(/^\[(.*)\]$/, '$1');
    return { ...base, kind, host, port: Number(port), tls: transport === 'tls', format, ca };
  }
  if (said.kind === 'redis')
    return { ...base, kind: said.kind, url: reading.url(said), stream: said.stream, length: said.length ?? null, ca };
  const tokenFile = reading.path(said['token-file']);
  if (said.kind === 'otlp') return { ...base, kind: said.kind, url: reading.url(said), tokenFile, ca };
  const file = reading.path(said.file);
  if (file !== null && (said.url !== undefined || said['url-file'] !== undefined))
    throw reading.wrong('file', 'write "url" or "file"');
  return { ...base, kind: said.kind, to: file === null ? { url: reading.url(said), tokenFile, ca } : { file } };
}

function webhookOf(said: WrittenOf<'webhook'>, reading: Reading): Sink {
  const { kind, shape, coalesce } = said;
  const routingKey = reading.secret('routing-key', said['routing-key'], said['routing-key-file']);
  if (shape === 'pagerduty' && routingKey === null)
    throw reading.wrong('shape', '"routing-key-file" is missing: the integration key of the PagerDuty service');
  if (shape !== 'pagerduty' && routingKey !== null)
    throw reading.wrong('shape', '"routing-key" is for the shape pagerduty');
  if (shape === 'events' && coalesce !== undefined)
    throw reading.wrong('coalesce', '"coalesce" is for people: slack, teams and pagerduty');
  return {
    ...reading.terms(said, shape === 'events' ? EVENT_CLASSES : FOR_PEOPLE),
    kind,
    shape,
    url: reading.url(said, shape === 'pagerduty' ? PAGERDUTY : undefined),
    tokenFile: reading.path(said['token-file']),
    ca: reading.path(said.ca),
    secretFile: reading.path(said['secret-file']),
    routingKey,
    coalesce: coalesce ?? COALESCE,
  };
}

function kafkaOf(said: WrittenOf<'kafka'>, reading: Reading): Sink {
  const { kind, brokers, topic, transport, mechanism, user } = said;
  const passwordFile = reading.path(said['password-file']);
  const login = { mechanism: mechanism ?? ('scram-sha-512' as const), user, passwordFile };
  const given = [mechanism, user, passwordFile].filter((each) => each !== undefined && each !== null);
  if (given.length > 0 && (user === undefined || passwordFile === null))
    throw reading.wrong('kind', 'to log in, write "user" and "password-file"');
  return {
    ...reading.terms(said),
    kind,
    brokers,
    topic,
    tls: transport === 'tls',
    login: given.length === 0 ? null : { ...login, user: user as string, passwordFile: passwordFile as string },
    ca: reading.path(said.ca),
  };
}

function isPort(value: string | undefined): boolean {
  return value !== undefined && Number(value) >= 1 && Number(value) <= 65535;
}

function isRedis(value: string): boolean {
  return /^rediss?:\/\/(?:[^@/]*@)?[^/@]+(?:\/\d{1,3})?$/.test(value) && URL.canParse(value);
}

import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { LineCounter, isMap, isScalar, isSeq, parseDocument, type Node } from 'yaml';
import type { Host } from '../model/host.ts';
import type { Sink } from '../model/sink.ts';
import type { StoreAddress } from '../model/store-address.ts';
import type { ParentProxy } from '../model/parent-proxy.ts';
import { ConfigError, type Config, type ListenAddress, type LogLevel } from './config.ts';
import type { Setting } from './setting.ts';
import { SETTINGS, flagOf, variableOf } from './settings.ts';
import { parseSink } from './sinks.ts';
import { errorCode } from '../model/error-code.ts';

/** Text given for a setting, and where. */
interface Given {
  readonly texts: readonly string[];
  readonly place: string;
  /** Folder that relative paths start from. */
  readonly folder: string;
}

export interface ConfigInput {
  /** Configuration file; null: none. */
  readonly file: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Flag values by setting key. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly workingFolder: string;
}

/** Flags over environment over file over defaults. Throws ConfigError with one line: place, what is wrong, what is right. */
export function loadConfig(input: ConfigInput): Config {
  const fromFile =
    input.file === null ? new Map<string, Given>() : readFile(resolve(input.workingFolder, input.file), input.file);
  refuseUnknownVariables(input.environment);
  const values = new Map<string, unknown>();
  const texts = new Map<string, readonly string[]>();
  for (const setting of SETTINGS) {
    const given = givenFor(setting, input, fromFile);
    values.set(setting.key, parseGiven(setting, given));
    if (given.texts.length > 0) texts.set(setting.key, absolute(setting, given));
  }
  return assemble(values, texts);
}

function givenFor(setting: Setting, input: ConfigInput, fromFile: ReadonlyMap<string, Given>): Given {
  const folder = input.workingFolder;
  const flag = input.flags.get(setting.key);
  if (flag !== undefined) return { texts: flag, place: flagOf(setting), folder };
  const variable = input.environment[variableOf(setting)];
  if (variable !== undefined)
    return {
      texts: setting.many === true ? variable.split(',').filter((text) => text !== '') : [variable],
      place: variableOf(setting),
      folder,
    };
  const file = fromFile.get(setting.key);
  if (file !== undefined) return file;
  return { texts: setting.default === '' ? [] : [setting.default], place: 'default', folder };
}

function parseGiven(setting: Setting, given: Given): unknown {
  const parsed = given.texts.map((text) => {
    const value = setting.parse(text);
    if (value === null)
      throw new ConfigError(
        `${given.place}: "${shown(setting, text)}" is not right for ${setting.key}: write ${setting.form}`,
      );
    return setting.path === true ? resolve(given.folder, value as string) : value;
  });
  return setting.many === true ? parsed : parsed[0];
}

/** What may be said of a text in a message: a proxy's password stands between `//` and `@`. */
function shown(setting: Setting, text: string): string {
  return setting.secret === true ? text.replace(/\/\/.*@/s, '//…@') : text;
}

function refuseUnknownVariables(environment: Readonly<Record<string, string | undefined>>): void {
  const known = new Set([...SETTINGS.map(variableOf), 'SALLYPORT_CONFIG', 'SALLYPORT_TOKEN']);
  for (const name of Object.keys(environment)) {
    // Kubernetes sets SALLYPORT_PORT, SALLYPORT_SERVICE_HOST and the like for a Service of that name.
    if (/_(?:SERVICE_HOST|SERVICE_PORT(?:_.*)?|PORT(?:_.*)?)$/.test(name)) continue;
    if (name.startsWith('SALLYPORT_') && !known.has(name))
      throw new ConfigError(`${name}: no such setting; see docs/reference/config.md`);
  }
}

function readFile(file: string, shown: string): Map<string, Given> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${shown}: cannot be read: ${errorCode(error)}`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: false });
  const at = (node: Node | null | undefined, offset = node?.range?.[0] ?? 0): string => {
    const { line, col } = lines.linePos(offset);
    return `${shown}:${line}:${col}`;
  };
  const error = document.errors[0] ?? document.warnings[0];
  if (error !== undefined) throw new ConfigError(`${at(null, error.pos[0])}: ${error.message.split('\n')[0] ?? ''}`);
  const found = new Map<string, Given>();
  if (document.contents === null) return found;
  walk(document.contents, '', found, at, dirname(file));
  return found;
}

type At = (node: Node | null | undefined) => string;

function walk(node: Node | null, key: string, found: Map<string, Given>, at: At, folder: string): void {
  const setting = SETTINGS.find((each) => each.key === key || (each.short === key && !isMap(node)));
  if (setting !== undefined) {
    found.set(setting.key, { texts: textsOf(node, setting, at), place: at(node), folder });
    return;
  }
  if (!isMap(node)) throw new ConfigError(`${at(node)}: ${key === '' ? 'the file' : `"${key}"`} must be a map`);
  for (const pair of node.items) {
    const name = String(isScalar(pair.key) ? pair.key.value : pair.key);
    const path = key === '' ? name : `${key}.${name}`;
    if (!SETTINGS.some((each) => each.key === path || each.key.startsWith(`${path}.`))) {
      throw new ConfigError(`${at(pair.key as Node)}: unknown setting "${path}"; see docs/reference/config.md`);
    }
    walk(pair.value as Node | null, path, found, at, folder);
  }
}

function textsOf(node: Node | null, setting: Setting, at: At): string[] {
  const scalar = (each: unknown): string => {
    if (isScalar(each) && (typeof each.value === 'string' || typeof each.value === 'number')) return String(each.value);
    throw new ConfigError(`${at(each as Node | null)}: "${setting.key}" must be ${setting.form}`);
  };
  if (setting.many === true && isSeq(node)) return node.items.map(scalar);
  if (setting.many === true && isMap(node))
    return node.items.map((pair) => `${scalar(pair.key)}=${scalar(pair.value)}`);
  return [scalar(node)];
}

/** The texts as they may be read in any folder. */
function absolute(setting: Setting, { texts, folder }: Given): readonly string[] {
  return setting.path === true ? texts.map((text) => resolve(folder, text)) : texts;
}

function assemble(values: ReadonlyMap<string, unknown>, texts: Config['texts']): Config {
  const get = <T>(key: string): T => values.get(key) as T;
  return Object.freeze({
    listen: {
      proxy: get<ListenAddress>('listen.proxy'),
      admin: get<ListenAddress>('listen.admin'),
      https: get<ListenAddress | undefined>('listen.https') ?? null,
      names: get<Host[]>('listen.names'),
      clientCa: get<string | undefined>('listen.client-ca') ?? null,
      socks: get<ListenAddress | undefined>('listen.socks') ?? null,
      transparent: get<ListenAddress | undefined>('listen.transparent') ?? null,
      unix: get<string | undefined>('listen.unix') ?? null,
    },
    rules: get<string>('rules'),
    policy: assemblePolicy(get),
    store: assembleStore(get),
    sessions: { keys: get<string | undefined>('sessions.keys') ?? null, rotate: get<number>('sessions.rotate') },
    rollout: assembleRollout(get),
    certs: get<string>('certs'),
    state: get<string>('state'),
    audit: {
      durability: get<'os' | 'disk'>('audit.durability'),
      checkpoint: {
        events: get<number>('audit.checkpoint.events'),
        milliseconds: get<number>('audit.checkpoint.every'),
      },
      rotate: { bytes: get<number>('audit.rotate.size'), milliseconds: get<number>('audit.rotate.every') },
      retention: retentionOf(get('audit.retention')),
      transcript: {
        recipients: get<string[]>('audit.transcript.recipients'),
        body: get<number>('audit.transcript.body'),
      },
      sinks: get<string | undefined>('audit.sinks') ?? null,
    },
    traces: assembleTraces(get),
    upstream: {
      ca: get<string[]>('upstream.ca'),
      pins: new Map(get<Array<[string, { host: string; port: number }]>>('upstream.pins')),
      parents: new Map(get<Array<[string, ParentProxy | null]>>('upstream.proxies')),
      resolvers: get<string[]>('upstream.resolvers'),
      timeouts: {
        connect: get<number>('upstream.timeouts.connect'),
        firstByte: get<number>('upstream.timeouts.first-byte'),
        idle: get<number>('upstream.timeouts.idle'),
      },
    },
    inspect: { buffer: get<number>('inspect.buffer') },
    log: { level: get<LogLevel>('log.level'), format: get<'auto' | 'json' | 'text'>('log.format') },
    drain: get<number>('drain'),
    connections: assembleConnections(get),
    workers: get<number>('workers'),
    texts,
  });
}

/** Every sink of a folder; null: none. Throws ConfigError. */
export function loadSinks(folder: string | null): readonly Sink[] {
  if (folder === null) return [];
  try {
    const names = readdirSync(folder).filter((name) => /^[^.].*\.ya?ml$/.test(name));
    const sinks = names.sort().map((name) => parseSink(join(folder, name), readFileSync(join(folder, name), 'utf8')));
    const twice = sinks.find(({ name }, index) => sinks.findIndex((each) => each.name === name) < index);
    if (twice !== undefined) throw new ConfigError(`${folder}: two files are for a sink "${twice.name}"`);
    return sinks;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`audit.sinks: ${folder} cannot be read: ${errorCode(error)}`);
  }
}

function retentionOf(value: number | 'forever'): number | null {
  return value === 'forever' ? null : value;
}

function assembleTraces(get: <T>(key: string) => T): Config['traces'] {
  const url = get<string | undefined>('traces.url');
  if (url === undefined) return null;
  return {
    url,
    tokenFile: get<string | undefined>('traces.token-file') ?? null,
    ca: get<string | undefined>('traces.ca') ?? null,
    share: get<number>('traces.sample'),
  };
}

function assemblePolicy(get: <T>(key: string) => T): Config['policy'] {
  const url = get<URL | undefined>('policy.opa.url');
  const file = get<string | undefined>('policy.wasm.file');
  return {
    opa:
      url === undefined
        ? null
        : {
            url,
            path: get<string>('policy.opa.path'),
            timeout: get<number>('policy.opa.timeout'),
            tokenFile: get<string | undefined>('policy.opa.token-file') ?? null,
          },
    wasm:
      file === undefined
        ? null
        : {
            file,
            entrypoint: get<string>('policy.wasm.entrypoint'),
            data: get<string | undefined>('policy.wasm.data') ?? null,
          },
    input: { headers: get<string[]>('policy.input.headers'), body: get<boolean>('policy.input.body') },
  };
}

function assembleRollout(get: <T>(key: string) => T): Config['rollout'] {
  const share = get<number | undefined>('rollout.canary');
  if (share === undefined) return null;
  const rate = get<number | 'never'>('rollout.abort-when.deny-rate');
  return { share, duration: get<number>('rollout.for'), denyRate: rate === 'never' ? null : rate };
}

function assembleConnections(get: <T>(key: string) => T): Config['connections'] {
  const max = get<number | 'auto'>('connections.max');
  return { max: max === 'auto' ? null : max };
}

function assembleStore(get: <T>(key: string) => T): Config['store'] {
  const address = get<StoreAddress | 'memory'>('store.url');
  return {
    address: address === 'memory' ? null : address,
    timeout: get<number>('store.timeout'),
    grace: get<'deny' | 'local'>('store.on-outage') === 'local' ? get<number>('store.grace') : 0,
  };
}

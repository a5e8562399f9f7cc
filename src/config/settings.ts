import { AUDIT_SETTINGS } from './audit-settings.ts';
import type { Setting } from './setting.ts';
import { TRACE_SETTINGS } from './trace-settings.ts';
import { LOG_LEVELS } from './config.ts';
import {
  anyText,
  oneOf,
  parseConnections,
  parseDataPath,
  parseFieldName,
  parseListen,
  parseOpaUrl,
  parseOwnName,
  parseParent,
  parsePercentage,
  parsePin,
  parseResolver,
  parseWorkers,
} from './values.ts';
import { parseStoreAddress } from '../model/store-address.ts';
import { parseDuration, parseSize } from '../model/units.ts';

/** Every setting and its default, in one place. docs/reference/config.md is generated from this list. */
export const SETTINGS: readonly Setting[] = [
  {
    key: 'listen.proxy',
    default: '127.0.0.1:8899',
    form: 'host:port; port 0 picks a free one',
    describe: 'Where agents connect.',
    parse: parseListen,
  },
  {
    key: 'listen.admin',
    default: '127.0.0.1:8898',
    form: 'host:port; port 0 picks a free one',
    describe: 'Health, readiness and metrics. Keep it away from agents.',
    parse: parseListen,
  },
  {
    key: 'listen.https',
    default: '',
    form: 'host:port; port 0 picks a free one',
    describe: 'Where agents connect over TLS to the same proxy; none by default.',
    parse: parseListen,
  },
  {
    key: 'listen.names',
    default: '',
    form: 'a host name or address',
    describe: "Names the gate's own certificate on `listen.https` is for, beside the address it listens on.",
    many: true,
    parse: parseOwnName,
  },
  {
    key: 'listen.client-ca',
    default: '',
    form: 'a PEM file',
    describe: 'CA of client certificates, by which agents may prove themselves on `listen.https`.',
    path: true,
    parse: anyText,
  },
  {
    key: 'listen.socks',
    default: '',
    form: 'host:port; port 0 picks a free one',
    describe: 'Where agents connect by SOCKS5; none by default.',
    parse: parseListen,
  },
  {
    key: 'listen.transparent',
    default: '',
    form: 'host:port; port 0 picks a free one',
    describe: 'Where connections are redirected that do not know of the gate; none by default.',
    parse: parseListen,
  },
  {
    key: 'listen.unix',
    default: '',
    form: 'a path',
    describe: 'Unix socket where agents connect, for its owner alone; none by default.',
    path: true,
    parse: anyText,
  },
  { key: 'rules', default: 'rules', form: 'a folder', describe: 'Folder of rule files.', path: true, parse: anyText },
  {
    key: 'policy.opa.url',
    default: '',
    form: 'http:// or https://host[:port][/prefix]',
    describe: 'Open Policy Agent server that is asked about every request the rules allow; none by default.',
    parse: parseOpaUrl,
  },
  {
    key: 'policy.opa.path',
    default: 'sallyport/allow',
    form: 'names between slashes, as sallyport/allow',
    describe: 'What it is asked for: `POST /v1/data/<path>`.',
    parse: parseDataPath,
  },
  {
    key: 'policy.opa.timeout',
    default: '1s',
    form: 'a duration such as 10s',
    describe: 'How long it may take to answer; after that the request is denied.',
    parse: parseDuration,
  },
  {
    key: 'policy.opa.token-file',
    default: '',
    form: 'a file',
    describe: 'File of the bearer token it asks for.',
    path: true,
    parse: anyText,
  },
  {
    key: 'policy.wasm.file',
    default: '',
    form: 'a file',
    describe:
      'Policy compiled with `opa build -t wasm` (its `policy.wasm`), asked in this process about every request the rules allow.',
    path: true,
    parse: anyText,
  },
  {
    key: 'policy.wasm.entrypoint',
    default: 'sallyport/allow',
    form: 'names between slashes, as sallyport/allow',
    describe: 'Entrypoint it was compiled with (`-e`).',
    parse: parseDataPath,
  },
  {
    key: 'policy.wasm.data',
    default: '',
    form: 'a JSON file',
    describe: 'Its document `data`.',
    path: true,
    parse: anyText,
  },
  {
    key: 'policy.input.headers',
    default: '',
    form: 'a field name',
    describe: 'Header fields that external policies are told; none by default, for they may hold credentials.',
    many: true,
    parse: parseFieldName,
  },
  {
    key: 'policy.input.body',
    default: 'no',
    form: 'yes or no',
    describe:
      'External policies are told bodies, up to `inspect.buffer`, which are then read before anything is decided.',
    parse: (text) => (text === 'yes' ? true : text === 'no' ? false : null),
  },
  {
    key: 'store.url',
    default: 'memory',
    form: 'memory, redis://[user:password@]host[:port][/database], redis+cluster://host,… or redis+sentinel://host,…/name; rediss for TLS',
    describe:
      'Where limits are counted: by this gate alone, or by all that share a Redis. In a file, `store: redis://…` will do.',
    short: 'store',
    secret: true,
    parse: (text) => (text === 'memory' ? text : parseStoreAddress(text)),
  },
  {
    key: 'store.timeout',
    default: '500ms',
    form: 'a duration such as 10s',
    describe: 'How long a shared store may take to answer.',
    parse: parseDuration,
  },
  {
    key: 'store.on-outage',
    default: 'deny',
    form: 'deny or local',
    describe:
      'What holds while a shared store is away: `deny` refuses what is limited (`store-unavailable`), `local` counts for this gate alone.',
    parse: oneOf('deny', 'local'),
  },
  {
    key: 'store.grace',
    default: '5m',
    form: 'a duration such as 10s',
    describe: 'How long `local` may last.',
    parse: parseDuration,
  },
  {
    key: 'sessions.keys',
    default: '',
    form: 'a file',
    describe:
      'Keys that sign sessions, made on first start; gates that share the file take each other’s sessions. Default: in `state`.',
    path: true,
    parse: anyText,
  },
  {
    key: 'sessions.rotate',
    default: '7d',
    form: 'a duration such as 10s',
    describe: 'How long a key signs before the next one does; old ones are accepted until what they signed has ended.',
    parse: parseDuration,
  },
  {
    key: 'rollout.canary',
    default: '',
    form: 'a percentage such as 10%',
    describe: 'Share of sessions that changed rules hold for at first; without it they hold for all at once.',
    parse: (text) => parsePercentage(text),
  },
  {
    key: 'rollout.for',
    default: '30m',
    form: 'a duration such as 10s',
    describe: 'How long a share of sessions tries changed rules out before they hold for all.',
    parse: parseDuration,
  },
  {
    key: 'rollout.abort-when.deny-rate',
    default: '+5%',
    form: 'percentage points such as +5%, or never',
    describe: 'Changed rules are taken back when they refuse so much more of the requests than those in force.',
    parse: (text) => (text === 'never' ? text : parsePercentage(text.replace(/^\+/, ''))),
  },
  {
    key: 'certs',
    default: 'certs',
    form: 'a folder',
    describe: "Folder of the gate's CA; made on first start.",
    path: true,
    parse: anyText,
  },
  {
    key: 'state',
    default: 'state',
    form: 'a folder',
    describe: 'Folder of what the gate keeps: the audit log, its keys, halts, sessions, limits.',
    path: true,
    parse: anyText,
  },
  ...AUDIT_SETTINGS,
  ...TRACE_SETTINGS,
  {
    key: 'upstream.ca',
    default: '',
    form: 'a PEM file',
    describe: "CA certificates trusted for upstreams beside the system's.",
    many: true,
    path: true,
    parse: anyText,
  },
  {
    key: 'upstream.pins',
    default: '',
    form: 'host:port=address:port; the host may be **',
    describe: 'Dial this address for that target: no DNS, no address guard, recorded as pinned.',
    many: true,
    parse: parsePin,
  },
  {
    key: 'upstream.proxies',
    default: '',
    form: 'pattern=proxy: a host, *.name, **.name or **; http://, https:// or socks5:// [user:password@]host[:port], or direct',
    describe:
      'Go to these hosts through that parent proxy. It resolves their names: what they lead to is recorded as unchecked. Keep passwords out of flags: other users of the machine see them.',
    many: true,
    secret: true,
    parse: parseParent,
  },
  {
    key: 'upstream.resolvers',
    default: '',
    form: 'address[:port]',
    describe: "DNS servers to ask instead of the system's.",
    many: true,
    parse: parseResolver,
  },
  {
    key: 'upstream.timeouts.connect',
    default: '10s',
    form: 'a duration such as 10s',
    describe: 'Until TCP and TLS to an upstream stand.',
    parse: parseDuration,
  },
  {
    key: 'upstream.timeouts.first-byte',
    default: '5m',
    form: 'a duration such as 10s',
    describe: 'From the end of a request to the head of its answer.',
    parse: parseDuration,
  },
  {
    key: 'upstream.timeouts.idle',
    default: '5m',
    form: 'a duration such as 10s',
    describe: 'Between two bytes of a body, either way.',
    parse: parseDuration,
  },
  {
    key: 'inspect.buffer',
    default: '1 MiB',
    form: 'a size such as 1 MiB',
    describe: 'Request bodies up to this size are held whole before the first byte leaves.',
    parse: parseSize,
  },
  {
    key: 'log.level',
    default: 'info',
    form: `one of ${LOG_LEVELS.join(', ')}`,
    describe: 'How much the operational log says.',
    parse: oneOf(...LOG_LEVELS),
  },
  {
    key: 'log.format',
    default: 'auto',
    form: 'auto, json or text',
    describe: 'auto: text on a terminal, JSON elsewhere.',
    parse: oneOf('auto', 'json', 'text'),
  },
  {
    key: 'connections.max',
    default: 'auto',
    form: 'a number from 10 to 1000000, or auto: 10000, or what the limit of open files allows',
    describe:
      'Connections of agents that may be open; one agent gets half of them at most, and leaves room for others whatever it does.',
    parse: parseConnections,
  },
  {
    key: 'workers',
    default: '1',
    form: 'a number up to 256, or auto for one for each core',
    describe: 'Processes that carry the traffic, governed by one more; `1`: one process does both.',
    parse: parseWorkers,
  },
  {
    key: 'drain',
    default: '30s',
    form: 'a duration such as 10s',
    describe: 'How long a stopping gate waits for exchanges to end.',
    parse: parseDuration,
  },
];

/** `listen.proxy` → `--listen-proxy`. */
export function flagOf(setting: Setting): string {
  return `--${singular(setting).replaceAll('.', '-')}`;
}

/** `listen.proxy` → `SALLYPORT_LISTEN_PROXY`. */
export function variableOf(setting: Setting): string {
  return `SALLYPORT_${setting.key.replaceAll(/[.-]/g, '_').toUpperCase()}`;
}

/** A flag names one pin, proxy or resolver at a time. */
function singular(setting: Setting): string {
  return setting.many === true ? setting.key.replace(/ies$/, 'y').replace(/s$/, '') : setting.key;
}

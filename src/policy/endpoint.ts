import type { WebSocketTerms } from '../model/decision.ts';
import { DEFAULT_PORT, parsePort, type Scheme } from '../model/target.ts';
import { parseRate, parseSize } from '../model/units.ts';
import { METHODS, isMethod } from '../model/method.ts';
import { hostPatternText, parseHostPattern, type HostPattern } from './host-pattern.ts';
import { RuleError, type Parsed } from './parsed.ts';
import { compileContent, type ContentPredicates } from './content/content.ts';
import { ANY_PATH, parsePathPattern, type PathPattern } from './path-pattern.ts';
import { compilePredicate, type FieldPredicates, type Predicate } from './predicate.ts';
import type { Endpoint } from './rule.ts';
import { didYouMean } from './suggest.ts';
import type { EndpointMap, EndpointSpec, FieldMapSpec } from './schema.ts';

const SHORT_FORM =
  'the short form is "METHODS scheme://host[:port][/path]", for example "GET https://api.example.com/v1/**"';

/** Parses an endpoint in either form. A failure names what is wrong and how to write it. */
export function parseEndpoint(spec: EndpointSpec): Parsed<Endpoint> {
  const map = typeof spec === 'string' ? parseShortForm(spec) : ({ ok: true, value: spec } as const);
  if (!map.ok) return map;
  return parseLongForm(map.value, typeof spec === 'string' ? spec : null);
}

function parseShortForm(text: string): Parsed<EndpointMap> {
  const match = /^(\S+)\s+([a-z]+):\/\/([^/?#\s]+)(\/\S*)?$/.exec(text.trim());
  if (match === null) return wrong(`"${text}" is not an endpoint`, SHORT_FORM);
  const [, methods = '', scheme = '', authority = '', path] = match;
  if (scheme !== 'https' && scheme !== 'http' && scheme !== 'tcp') {
    return wrong(`"${scheme}" is not a scheme the gate carries`, 'known here: https, http, tcp');
  }
  const end = authority.startsWith('[') ? authority.indexOf(']') + 1 : authority.indexOf(':');
  const host = end <= 0 ? authority : authority.slice(0, end);
  const portText = end <= 0 || end === authority.length ? null : authority.slice(end + 1);
  const port = portText === null ? null : parsePort(portText);
  if (portText !== null && port === null)
    return wrong(`"${portText}" is not a port`, 'a port is a number from 1 to 65535');
  return {
    ok: true,
    value: {
      scheme,
      host,
      ...(port === null ? {} : { port }),
      ...(methods === '*' ? {} : { methods: methods.split(',') }),
      ...(path === undefined ? {} : { paths: [path] }),
    },
  };
}

function parseLongForm(map: EndpointMap, text: string | null): Parsed<Endpoint> {
  const scheme = map.scheme ?? 'https';
  const host = parseHostPattern(map.host);
  if (!host.ok) return host;
  const port = map.port ?? DEFAULT_PORT[scheme];
  if (port === null) return wrong('a tcp endpoint needs a port', 'write "* tcp://host:22", or add "port:"');
  const methods = parseMethods(map.methods);
  if (!methods.ok) return methods;
  const pathsRaw = map['paths-raw'] === true;
  const paths = parsePaths(map.paths, pathsRaw);
  if (!paths.ok) return paths;
  const query = parseFields(map.query, 'query', (name) => name);
  if (!query.ok) return query;
  const headers = parseFields(map.headers, 'headers', (name) => name.toLowerCase());
  if (!headers.ok) return headers;
  if (map.intercept === false && judgesMore(map))
    return wrong(
      'an endpoint that is not intercepted has no methods, paths, query, headers, content or websocket',
      'what passes through undecrypted cannot be judged by them: leave them out, or intercept',
    );
  const websocket = parseWebSocket(map.websocket);
  if (!websocket.ok) return websocket;
  const content = parseContent(map);
  if (!content.ok) return content;
  if (
    scheme === 'tcp' &&
    (map.websocket !== undefined ||
      content.value !== null ||
      methods.value !== null ||
      map.paths !== undefined ||
      map.query !== undefined ||
      map.headers !== undefined)
  ) {
    return wrong(
      'a tcp endpoint has no methods, paths, query, headers or content',
      'the gate does not read inside it: write "* tcp://host:port"',
    );
  }
  const endpoint = { scheme, host: host.value, port, methods: methods.value, paths: paths.value, pathsRaw };
  return {
    ok: true,
    value: {
      text: text ?? textOf(endpoint),
      ...endpoint,
      query: query.value,
      headers: headers.value,
      content: content.value,
      demands: demandsOf(map),
      websocket: websocket.value,
      intercept: map.intercept !== false,
    },
  };
}

function demandsOf({ query, headers, body, graphql, jsonrpc, mcp, websocket }: EndpointMap): string {
  const asked = { query, headers, body, graphql, jsonrpc, mcp, websocket };
  return Object.values(asked).every((each) => each === undefined) ? '' : JSON.stringify(asked);
}

/** The short form of an endpoint, for messages about one written long. */
function textOf(endpoint: {
  scheme: Scheme;
  host: HostPattern;
  port: number;
  methods: ReadonlySet<string> | null;
  paths: readonly PathPattern[];
}): string {
  const methods = endpoint.methods === null ? '*' : [...endpoint.methods].join(',');
  const port = endpoint.port === DEFAULT_PORT[endpoint.scheme] ? '' : `:${endpoint.port}`;
  const more = endpoint.paths.length > 1 ? ` (+${endpoint.paths.length - 1} paths)` : '';
  const path = endpoint.paths[0] === ANY_PATH ? '' : (endpoint.paths[0]?.text ?? '');
  return `${methods} ${endpoint.scheme}://${hostPatternText(endpoint.host)}${port}${path}${more}`;
}

/** Whether more is asked than host and port can tell. */
function judgesMore(map: EndpointMap): boolean {
  if (map.scheme !== undefined && map.scheme !== 'https') return true;
  const { methods, paths, query, headers, body, graphql, jsonrpc, mcp, websocket } = map;
  const rest = [methods, paths, query, headers, body, graphql, jsonrpc, mcp, websocket];
  return rest.some((part) => part !== undefined);
}

function parseContent(map: EndpointMap): Parsed<ContentPredicates | null> {
  try {
    const content = compileContent(map);
    if (content !== null && map.websocket !== undefined)
      return wrong('a WebSocket has no body to judge', 'write an endpoint of its own for it');
    return { ok: true, value: content };
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    const hint = 'docs/reference/rules.md shows what stands there';
    return { ok: false, message: error.message, hint, at: error.at };
  }
}

const DEFAULT_MESSAGE = 1024 * 1024;

function parseWebSocket(spec: EndpointMap['websocket']): Parsed<WebSocketTerms | null> {
  if (spec === undefined) return { ok: true, value: null };
  const messages = spec.messages === undefined ? null : parseRate(spec.messages);
  if (spec.messages !== undefined && messages === null)
    return wrong(`"${spec.messages}" is not a rate`, 'write a number and a window, such as 600/minute');
  const max = spec.max === undefined ? DEFAULT_MESSAGE : parseSize(String(spec.max));
  if (max === null || max === 0) return wrong(`"${spec.max ?? ''}" is not a size`, 'write a size such as 1 MiB');
  return { ok: true, value: { messages, max } };
}

function parseMethods(methods: readonly string[] | undefined): Parsed<ReadonlySet<string> | null> {
  if (methods === undefined || methods.includes('*')) return { ok: true, value: null };
  for (const method of methods) {
    if (!isMethod(method.toUpperCase()))
      return wrong(`"${method}" is not a method the gate carries`, didYouMean(method, [...METHODS]));
    if (method !== method.toUpperCase())
      return wrong(
        `the method "${method}" is not upper case`,
        `methods are case-sensitive: write "${method.toUpperCase()}"`,
      );
    if (method === 'CONNECT')
      return wrong(
        'CONNECT is how clients reach the gate, not something a rule allows',
        'name the methods used inside the tunnel',
      );
  }
  return { ok: true, value: new Set(methods) };
}

function parsePaths(paths: readonly string[] | undefined, raw: boolean): Parsed<readonly PathPattern[]> {
  if (paths === undefined) return { ok: true, value: [ANY_PATH] };
  const parsed: PathPattern[] = [];
  for (const text of paths) {
    const pattern = parsePathPattern(text, raw);
    if (!pattern.ok) return pattern;
    parsed.push(pattern.value);
  }
  return { ok: true, value: parsed };
}

function parseFields(
  map: FieldMapSpec | undefined,
  where: string,
  fold: (name: string) => string,
): Parsed<FieldPredicates | null> {
  if (map === undefined) return { ok: true, value: null };
  const byName = new Map<string, Predicate>();
  for (const [name, spec] of Object.entries(map)) {
    if (typeof spec === 'boolean') {
      if (name === 'closed') continue;
      return wrong(
        `"${name}" in ${where} must be a predicate, not true or false`,
        'only "closed" is true or false here',
      );
    }
    try {
      byName.set(fold(name), compilePredicate(spec));
    } catch (error) {
      return wrong(
        `the expression for "${name}" in ${where} is not RE2: ${(error as Error).message}`,
        'no back-references and no look-around',
      );
    }
  }
  return { ok: true, value: { closed: map['closed'] === true, byName } };
}

function wrong<T>(message: string, hint: string): Parsed<T> {
  return { ok: false, message, hint };
}

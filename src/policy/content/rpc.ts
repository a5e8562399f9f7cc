import { JsonNumber, isArray, isObject, parseJsonBytes, type Json, type JsonObject } from '../../model/json.ts';
import { globMatches } from '../glob.ts';
import { RuleError, below } from '../parsed.ts';
import type { McpSpec, RpcSpec } from '../schema.ts';
import { JsonPredicates } from './json-predicate.ts';

/** Why a message is not allowed. */
export interface RpcFlaw {
  readonly reason: 'body-not-allowed' | 'tool-not-found' | 'tool-changed';
  readonly detail: string;
}

function notAllowed(detail: string): RpcFlaw {
  return { reason: 'body-not-allowed', detail };
}

const MAX_BATCH = 100;

/** A call of JSON-RPC 2.0, or an answer to one the other side has made. */
type Message =
  | { readonly kind: 'call'; readonly method: string; readonly params: Json | undefined }
  | { readonly kind: 'answer' }
  | { readonly kind: 'malformed'; readonly detail: string };

/** The messages of a body: one, or a batch. Null when it is neither. */
function messagesOf(body: Json): readonly Message[] | null {
  if (!isArray(body)) return [messageOf(body)];
  return body.length === 0 || body.length > MAX_BATCH ? null : body.map(messageOf);
}

const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error']);

function messageOf(value: Json): Message {
  const malformed = (detail: string): Message => ({ kind: 'malformed', detail });
  if (!isObject(value) || value.get('jsonrpc') !== '2.0') return malformed('it is no message of JSON-RPC 2.0');
  for (const name of value.keys())
    if (!MEMBERS.has(name)) return malformed('a message with a member JSON-RPC does not have');
  const id = value.get('id');
  if (isObject(id) || isArray(id)) return malformed('the id of a message is no text or number');
  const method = value.get('method');
  const answers = value.has('result') || value.has('error');
  if (method === undefined) return answers ? { kind: 'answer' } : malformed('a message without a method');
  if (typeof method !== 'string' || answers) return malformed('a message that is call and answer at once');
  return { kind: 'call', method, params: value.get('params') };
}

/** Judges every message of a body by a function of one call. */
function flawOf(
  body: Json,
  answersToo: boolean,
  judge: (method: string, params: Json | undefined) => RpcFlaw | null,
): RpcFlaw | null {
  const messages = messagesOf(body);
  if (messages === null) return notAllowed('the batch is empty or too long');
  for (const message of messages) {
    if (message.kind === 'malformed') return notAllowed(message.detail);
    if (message.kind === 'answer') {
      if (!answersToo) return notAllowed('an answer where calls are made');
      continue;
    }
    const flaw = judge(message.method, message.params);
    if (flaw !== null) return flaw;
  }
  return null;
}

/** For denies: whether some message might be meant. What cannot be read may be anything. */
function mayMean(body: Json, judge: (method: string, params: Json | undefined) => boolean): boolean {
  const messages = messagesOf(body);
  return (
    messages === null ||
    messages.some((each) => each.kind === 'malformed' || (each.kind === 'call' && judge(each.method, each.params)))
  );
}

type Arguments = ReadonlyMap<string, JsonPredicates>;

function compileArguments(spec: RpcSpec['arguments']): Arguments {
  return new Map(
    Object.entries(spec ?? {}).map(([name, fields]) => [
      name,
      below('arguments', () => below(name, () => new JsonPredicates(fields))),
    ]),
  );
}

const NOTHING: JsonObject = new Map();

/** What is asked of calls by JSON-RPC. */
export class RpcPredicate {
  readonly #methods: readonly string[];
  readonly #arguments: Arguments;

  /** Throws RuleError. */
  constructor(spec: RpcSpec) {
    this.#methods = spec.methods;
    this.#arguments = compileArguments(spec.arguments);
    for (const name of this.#arguments.keys())
      if (!matchesAny(this.#methods, name))
        throw new RuleError(`arguments of "${name}", which "methods" does not list`, ['arguments', name]);
  }

  get size(): number {
    return 1 + sizeOf(this.#arguments);
  }

  flaw(body: Json): RpcFlaw | null {
    return flawOf(body, false, (method, params) => {
      if (!matchesAny(this.#methods, method)) return notAllowed(`the method ${shown(method)} is not allowed`);
      const flaw = this.#arguments.get(method)?.flaw(params ?? NOTHING) ?? null;
      return flaw === null ? null : notAllowed(`of ${shown(method)}, ${flaw}`);
    });
  }

  mayHold(body: Json): boolean {
    return mayMean(
      body,
      (method, params) =>
        matchesAny(this.#methods, method) && (this.#arguments.get(method)?.mayHold(params ?? NOTHING) ?? true),
    );
  }
}

/** What a client of MCP must be able to say before it can call anything. */
const PROTOCOL = ['initialize', 'ping', 'notifications/*', 'logging/setLevel', 'tools/list'];
const WITH_RESOURCES = ['resources/list', 'resources/templates/list'];
const WITH_PROMPTS = ['prompts/list'];
/** Methods that name one thing of a list, and the member of their parameters that holds its name. */
const NAMING: ReadonlyMap<string, { readonly what: 'tool' | 'resource' | 'prompt'; readonly member: string }> = new Map(
  [
    ['tools/call', { what: 'tool', member: 'name' }],
    ['resources/read', { what: 'resource', member: 'uri' }],
    ['resources/subscribe', { what: 'resource', member: 'uri' }],
    ['resources/unsubscribe', { what: 'resource', member: 'uri' }],
    ['prompts/get', { what: 'prompt', member: 'name' }],
  ],
);

/** What is asked of messages to a server of the Model Context Protocol. */
export class McpPredicate {
  readonly #granted: Readonly<Record<'tool' | 'resource' | 'prompt', readonly string[]>>;
  readonly #methods: readonly string[];
  /** Methods the rule itself names. */
  readonly #named: readonly string[];
  readonly #arguments: Arguments;

  /** Throws RuleError. */
  constructor(spec: McpSpec) {
    this.#named = spec.methods ?? [];
    this.#granted = { tool: spec.tools ?? [], resource: spec.resources ?? [], prompt: spec.prompts ?? [] };
    this.#methods = [
      ...PROTOCOL,
      ...(spec.resources === undefined ? [] : WITH_RESOURCES),
      ...(spec.prompts === undefined ? [] : WITH_PROMPTS),
      ...this.#named,
    ];
    this.#arguments = compileArguments(spec.arguments);
    for (const name of this.#arguments.keys())
      if (!this.grants(name))
        throw new RuleError(`arguments of "${name}", which "tools" does not list`, ['arguments', name]);
  }

  get size(): number {
    const { tool, resource, prompt } = this.#granted;
    return 1 + Math.min(8, tool.length + resource.length + prompt.length) + sizeOf(this.#arguments);
  }

  /** Equal for rules that show the same tools. */
  get shows(): string {
    return [...this.#granted.tool].sort().join(',');
  }

  /** Whether a tool of this name may be called, and so be shown. */
  grants(tool: string): boolean {
    return matchesAny(this.#granted.tool, tool);
  }

  /** `changed`: tools that are not what they were when they were first seen. */
  flaw(body: Json, changed: ReadonlySet<string>): RpcFlaw | null {
    return flawOf(body, true, (method, params) => {
      const naming = NAMING.get(method);
      if (naming === undefined)
        return matchesAny(this.#methods, method) ? null : notAllowed(`the method ${shown(method)} is not allowed`);
      const name = isObject(params) ? params.get(naming.member) : undefined;
      if (typeof name !== 'string') return notAllowed(`a ${naming.what} is not named`);
      if (!matchesAny(this.#granted[naming.what], name))
        return { reason: 'tool-not-found', detail: `the ${naming.what} ${shown(name)} is not granted` };
      if (naming.what !== 'tool') return null;
      if (changed.has(name))
        return { reason: 'tool-changed', detail: `the tool ${shown(name)} is not the one that was first seen` };
      const given = isObject(params) ? (params.get('arguments') ?? NOTHING) : NOTHING;
      const flaw = this.#arguments.get(name)?.flaw(given) ?? null;
      return flaw === null ? null : notAllowed(`of the tool ${shown(name)}, ${flaw}`);
    });
  }

  mayHold(body: Json): boolean {
    return mayMean(body, (method, params) => {
      const naming = NAMING.get(method);
      // The protocol's own methods are no reason to deny: a deny means what it names.
      if (naming === undefined) return matchesAny(this.#named, method);
      const name = isObject(params) ? params.get(naming.member) : undefined;
      if (typeof name !== 'string') return true;
      if (!matchesAny(this.#granted[naming.what], name)) return false;
      if (naming.what !== 'tool') return true;
      const given = isObject(params) ? (params.get('arguments') ?? NOTHING) : NOTHING;
      return this.#arguments.get(name)?.mayHold(given) ?? true;
    });
  }
}

/** An error of JSON-RPC, as a server of MCP would send it. */
export interface UnknownName {
  readonly jsonrpc: '2.0';
  readonly id: string | number;
  readonly error: { readonly code: number; readonly message: string };
}

/** JSON-RPC 2.0 §5.1; MCP answers unknown tools and prompts so, and unknown resources with a code of its own. */
const INVALID_PARAMS = -32602;
const RESOURCE_NOT_FOUND = -32002;

/**
 * What a server that lacks them would answer to calls that name a tool, resource or prompt; every call of a batch gets an
 * answer, since none of it was carried. `because` is said in place of that. Null where no call asks for an answer.
 */
export function unknownNames(bytes: Buffer, because: string | null): readonly UnknownName[] | null {
  const body = parseJsonBytes(bytes);
  const answers = (isArray(body) ? body : [body]).flatMap((each): UnknownName[] => {
    const method = isObject(each) ? each.get('method') : undefined;
    const given = isObject(each) ? each.get('id') : undefined;
    const id = given instanceof JsonNumber ? Number(given.text) : given;
    if (!isObject(each) || typeof method !== 'string' || (typeof id !== 'string' && typeof id !== 'number')) return [];
    const naming = NAMING.get(method);
    const params = each.get('params');
    const name = naming !== undefined && isObject(params) ? params.get(naming.member) : undefined;
    const what = naming?.what ?? 'tool';
    const message =
      because ??
      (typeof name !== 'string'
        ? 'Not carried: another call of this batch names what is unknown'
        : what === 'resource'
          ? 'Resource not found'
          : `Unknown ${what}: ${name}`);
    return [
      { jsonrpc: '2.0', id, error: { code: what === 'resource' ? RESOURCE_NOT_FOUND : INVALID_PARAMS, message } },
    ];
  });
  return answers.length === 0 ? null : answers;
}

/** A name as a record may hold it: what agents send there is no place for anything but names. */
function shown(name: string): string {
  return /^[\w.:/-]{1,100}$/.test(name) ? name : '(an odd name)';
}

function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => globMatches(pattern, name));
}

function sizeOf(all: Arguments): number {
  return [...all.values()].reduce((sum, each) => sum + each.size, 0);
}

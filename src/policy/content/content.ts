import type { Reason } from '../../model/reason.ts';
import { parseSize } from '../../model/units.ts';
import { RuleError, below } from '../parsed.ts';
import { compilePredicate, fieldsHold, fieldsMayHold, type FieldPredicates, type Predicate } from '../predicate.ts';
import type { BodySpec, EndpointMap, FilePredicateSpec, PredicateSpec } from '../schema.ts';
import type { BodyView, Reading } from './body-view.ts';
import { GraphqlPredicate } from './graphql.ts';
import { JsonPredicates } from './json-predicate.ts';
import { MultipartPredicates, type FilePredicate } from './multipart-predicate.ts';
import { McpPredicate, RpcPredicate } from './rpc.ts';

/** Why content is not what a rule allows. */
export interface ContentFlaw {
  readonly reason: Reason;
  readonly detail: string;
}

/** What an endpoint asks of the content of its requests; each part may ask, and all must hold. */
export interface ContentPredicates {
  readonly json: JsonPredicates | null;
  readonly form: FieldPredicates | null;
  readonly multipart: MultipartPredicates | null;
  readonly graphql: GraphqlPredicate | null;
  readonly jsonrpc: RpcPredicate | null;
  readonly mcp: McpPredicate | null;
  /** How many there are, for specificity. */
  readonly size: number;
}

/** What of the request beside its body content predicates look at. */
export interface ContentContext {
  readonly method: string;
  readonly query: () => readonly string[] | null;
  readonly body: BodyView;
  /** Tools of the target that are not what they were when they were first seen. */
  readonly changedTools: ReadonlySet<string>;
}

/** Compiles what an endpoint says of content; null where it says nothing. Throws RuleError. */
export function compileContent(map: EndpointMap): ContentPredicates | null {
  const { body, graphql, jsonrpc, mcp } = map;
  if (body === undefined && graphql === undefined && jsonrpc === undefined && mcp === undefined) return null;
  const parts = {
    json: part(body?.json, ['body', 'json'], (spec) => new JsonPredicates(spec)),
    form: part(body?.form, ['body', 'form'], compileForm),
    multipart: part(body?.multipart, ['body', 'multipart'], compileMultipart),
    graphql: part(graphql, ['graphql'], (spec) => new GraphqlPredicate(spec)),
    jsonrpc: part(jsonrpc, ['jsonrpc'], (spec) => new RpcPredicate(spec)),
    mcp: part(mcp, ['mcp'], (spec) => new McpPredicate(spec)),
  };
  const forms = [parts.json, parts.form, parts.multipart].filter((part) => part !== null).length;
  if (body !== undefined && forms === 0)
    throw new RuleError('"body" names nothing: write json, form or multipart below it', ['body']);
  if (forms > 1) throw new RuleError('a body is one of json, form and multipart: write an endpoint for each', ['body']);
  if ((parts.form ?? parts.multipart) !== null && (graphql ?? jsonrpc ?? mcp) !== undefined)
    throw new RuleError('graphql, jsonrpc and mcp are JSON: no request is that and a form', ['body']);
  const form = parts.form === null ? 0 : parts.form.byName.size + (parts.form.closed ? 1 : 0);
  const size = Object.values(parts).reduce(
    (sum, part) => sum + (part !== null && 'size' in part ? part.size : 0),
    form,
  );
  return { ...parts, size: Math.max(1, size) };
}

function part<S, T>(spec: S | undefined, keys: readonly string[], make: (spec: S) => T): T | null {
  if (spec === undefined) return null;
  const [key = '', ...rest] = keys;
  return below(key, () => (rest.length === 0 ? make(spec) : part(spec, rest, make))) as T;
}

/** Null when all that is asked holds. What cannot be read does not hold. */
export function contentFlaw(content: ContentPredicates, context: ContentContext): ContentFlaw | null {
  const { body, method, changedTools } = context;
  const { json, form, multipart, graphql, jsonrpc, mcp } = content;
  if (json !== null) {
    const flaw = judged(body.json(), (value) => json.flaw(value));
    if (flaw !== null) return flaw;
  }
  if (form !== null) {
    const flaw = judged(body.form(), (pairs) =>
      fieldsHold(form, pairs, null) ? null : 'a field is not what the rule allows',
    );
    if (flaw !== null) return flaw;
  }
  if (multipart !== null) {
    const flaw = judged(body.parts(), (parts) => multipart.flaw(parts));
    if (flaw !== null) return flaw;
  }
  if (graphql !== null) {
    const flaw = graphqlFlaw(graphql, context);
    if (flaw !== null) return flaw;
  }
  if (jsonrpc !== null) {
    const flaw = judged(body.json(), (value) => jsonrpc.flaw(value)?.detail ?? null);
    if (flaw !== null) return flaw;
  }
  // GET listens to what the server has to say and DELETE ends a session (MCP, "Streamable HTTP"): neither says anything.
  if (mcp === null || (body.absent && (method === 'GET' || method === 'DELETE'))) return null;
  const reading = body.json();
  if (!reading.ok) return unread(reading);
  return mcp.flaw(reading.value, changedTools);
}

function graphqlFlaw(graphql: GraphqlPredicate, { method, query, body }: ContentContext): ContentFlaw | null {
  const pairs = query();
  if (method !== 'GET') {
    if (pairs === null || GraphqlPredicate.overrides(pairs))
      return notAllowed('a GraphQL request says in its query what its body says');
    return judged(body.json(), (value) => graphql.flaw(value));
  }
  if (!body.absent || pairs === null) return notAllowed('a GraphQL request by GET is a query and no body');
  const flaw = graphql.flawOfQuery(pairs);
  return flaw === null ? null : notAllowed(flaw);
}

/** Whether a deny may mean this content: what cannot be read may be anything. */
export function contentMayHold(content: ContentPredicates, { query, body }: ContentContext): boolean {
  const { json, form, multipart, graphql, jsonrpc, mcp } = content;
  // Without a body there is no content to be meant, but for GraphQL in a query.
  if (body.absent && graphql === null) return false;
  const may = <T>(reading: Reading<T>, holds: (value: T) => boolean): boolean => !reading.ok || holds(reading.value);
  if (json !== null && !may(body.anyJson(), (value) => json.mayHold(value))) return false;
  if (form !== null && !may(body.anyForm(), (pairs) => fieldsMayHold(form, pairs))) return false;
  if (multipart !== null && !may(body.parts(), (parts) => multipart.mayHold(parts))) return false;
  if (graphql !== null && !graphqlMayHold(graphql, query, body)) return false;
  if (jsonrpc !== null && !may(body.anyJson(), (value) => jsonrpc.mayHold(value))) return false;
  return mcp === null || may(body.anyJson(), (value) => mcp.mayHold(value));
}

function graphqlMayHold(graphql: GraphqlPredicate, query: ContentContext['query'], body: BodyView): boolean {
  const pairs = query();
  if (pairs === null) return true;
  const texts = pairs.filter((_, index) => index % 2 === 1 && pairs[index - 1] === 'query');
  if (texts.some((text) => graphql.mayHold(new Map([['query', text]])))) return true;
  if (body.absent) return false;
  const reading = body.anyJson();
  return !reading.ok || graphql.mayHold(reading.value);
}

function judged<T>(reading: Reading<T>, flawOf: (value: T) => string | null): ContentFlaw | null {
  if (!reading.ok) return unread(reading);
  const flaw = flawOf(reading.value);
  return flaw === null ? null : notAllowed(flaw);
}

function unread(reading: { readonly detail: string; readonly tooLarge: boolean }): ContentFlaw {
  return { reason: reading.tooLarge ? 'body-too-large' : 'body-not-allowed', detail: `the body: ${reading.detail}` };
}

function notAllowed(flaw: string): ContentFlaw {
  return { reason: 'body-not-allowed', detail: `in the body, ${flaw}` };
}

function compileForm(spec: NonNullable<BodySpec['form']>): FieldPredicates {
  const byName = new Map<string, Predicate>();
  for (const [name, each] of Object.entries(spec))
    if (typeof each !== 'boolean') byName.set(name, compileField(name, each));
    else if (name !== 'closed') throw new RuleError(`"${name}" in form must be a predicate, not true or false`, [name]);
  return { closed: spec['closed'] === true, byName };
}

function compileMultipart(spec: NonNullable<BodySpec['multipart']>): MultipartPredicates {
  const fields = new Map<string, Predicate>();
  const files = new Map<string, FilePredicate>();
  for (const [name, each] of Object.entries(spec)) {
    if (typeof each === 'boolean') {
      if (name !== 'closed')
        throw new RuleError(`"${name}" in multipart must be a predicate, not true or false`, [name]);
    } else if (isFile(each)) files.set(name, compileFile(name, each));
    else fields.set(name, compileField(name, each));
  }
  return new MultipartPredicates(fields, files, spec['closed'] === true);
}

function isFile(spec: PredicateSpec | FilePredicateSpec): spec is FilePredicateSpec {
  return typeof spec === 'object' && 'file' in spec;
}

function compileFile(name: string, spec: FilePredicateSpec): FilePredicate {
  const most = spec['max-size'] === undefined ? null : parseSize(String(spec['max-size']));
  if (most === null && spec['max-size'] !== undefined)
    throw new RuleError(`"${spec['max-size']}" is not a size: write one such as 1 MiB`, [name, 'max-size']);
  return { types: spec.file, most, optional: spec.optional === true };
}

function compileField(name: string, spec: PredicateSpec): Predicate {
  try {
    return compilePredicate(spec);
  } catch (error) {
    throw new RuleError(`the expression for "${name}" is not RE2: ${(error as Error).message}`, [name]);
  }
}

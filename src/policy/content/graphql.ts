import { Kind, parse, type FragmentDefinitionNode, type OperationDefinitionNode, type SelectionSetNode } from 'graphql';
import { isObject, type Json } from '../../model/json.ts';
import { RuleError } from '../parsed.ts';
import type { GraphqlSpec } from '../schema.ts';

type OperationKind = 'query' | 'mutation' | 'subscription';

/** What an operation asks for, fragments resolved and aliases undone. */
interface Demands {
  readonly kinds: ReadonlySet<OperationKind>;
  /** Paths of real field names that end in a leaf: `repository.issues.title`. */
  readonly leaves: ReadonlySet<string>;
  readonly depth: number;
}

/** Longest document, in tokens, and most fields once its fragments are resolved: fragments of fragments double each time. */
const MAX_TOKENS = 10_000;
const MAX_FIELDS = 10_000;
/** Members of a request (GraphQL over HTTP §5.4). Another one may name a stored query that is run in place of this one. */
const MEMBERS = new Set(['query', 'operationName', 'variables', 'extensions']);

/** What is asked of GraphQL requests. */
export class GraphqlPredicate {
  readonly #operations: ReadonlySet<OperationKind> | null;
  readonly #fields: readonly (readonly string[])[] | null;
  readonly #depth: number | null;
  readonly #persisted: ReadonlySet<string>;

  /** Throws RuleError. */
  constructor(spec: GraphqlSpec) {
    this.#operations = spec.operations === undefined ? null : new Set(spec.operations);
    this.#fields = spec.fields?.map(fieldPath) ?? null;
    this.#depth = spec['max-depth'] ?? null;
    this.#persisted = new Set(spec.persisted?.map((hash) => hash.toLowerCase()));
  }

  get size(): number {
    return 1 + (this.#operations === null ? 0 : 1) + (this.#fields === null ? 0 : 1) + (this.#depth === null ? 0 : 1);
  }

  /** Null when every operation of a body (one, or a batch) is allowed. */
  flaw(body: Json): string | null {
    const batch = Array.isArray(body) ? (body as readonly Json[]) : [body];
    if (batch.length === 0) return 'the batch of GraphQL operations is empty';
    for (const each of batch) {
      const flaw = this.#flawOfOne(each);
      if (flaw !== null) return flaw;
    }
    return null;
  }

  /** The same for the parameters of a GET, which reads and never writes (GraphQL over HTTP §6.2). */
  flawOfQuery(pairs: readonly string[]): string | null {
    const members = new Map<string, Json>();
    for (let i = 0; i < pairs.length; i += 2) {
      const name = pairs[i] as string;
      if (members.has(name)) return 'a GraphQL parameter stands twice';
      members.set(name, pairs[i + 1] as string);
    }
    const text = members.get('query');
    const flaw = this.#flawOfOne(members);
    if (flaw !== null || typeof text !== 'string') return flaw;
    return demandsOf(text).kinds.has('mutation') ? 'a GET asks for a GraphQL mutation' : null;
  }

  /** Of a POST's own query: servers may take from it what the body says too, and the gate would judge another request. */
  static overrides(pairs: readonly string[]): boolean {
    return pairs.some((name, index) => index % 2 === 0 && MEMBERS.has(name));
  }

  /** Whether a deny may mean it: what cannot be read may be anything. */
  mayHold(body: Json): boolean {
    const batch = Array.isArray(body) ? (body as readonly Json[]) : [body];
    return batch.some((each) => {
      const text = isObject(each) ? each.get('query') : undefined;
      if (typeof text !== 'string') return true;
      try {
        return this.#touches(demandsOf(text));
      } catch {
        return true;
      }
    });
  }

  #flawOfOne(body: Json): string | null {
    if (!isObject(body)) return 'it is no GraphQL request';
    for (const name of body.keys())
      if (!MEMBERS.has(name)) return 'a GraphQL request with a member that GraphQL over HTTP does not have';
    const text = body.get('query');
    if (text === undefined || text === '') return this.#flawOfPersisted(body.get('extensions'));
    if (typeof text !== 'string') return 'the GraphQL document is no text';
    try {
      return this.#flawOfDemands(demandsOf(text));
    } catch (error) {
      return `the GraphQL document cannot be read: ${error instanceof DocumentError ? error.message : 'a syntax error'}`;
    }
  }

  /** A stored query is known by its hash alone; the rule lists which. */
  #flawOfPersisted(extensions: Json | undefined): string | null {
    const persisted = isObject(extensions) ? extensions.get('persistedQuery') : undefined;
    const hash = isObject(persisted) ? persisted.get('sha256Hash') : undefined;
    if (typeof hash === 'string' && this.#persisted.has(hash.toLowerCase())) return null;
    return 'a GraphQL request without its document: stored queries must be listed under "persisted"';
  }

  #flawOfDemands({ kinds, leaves, depth }: Demands): string | null {
    for (const kind of kinds)
      if (this.#operations !== null && !this.#operations.has(kind)) return `a GraphQL ${kind} is not allowed`;
    if (this.#depth !== null && depth > this.#depth) return `the GraphQL operation nests deeper than ${this.#depth}`;
    if (this.#fields === null) return null;
    for (const leaf of leaves) if (!this.#lists(leaf)) return `the GraphQL field ${shown(leaf)} is not allowed`;
    return null;
  }

  /** A listed field opens all below it. `__typename` is everywhere and says nothing. */
  #lists(leaf: string): boolean {
    const names = leaf.split('.');
    if (names.at(-1) === '__typename') return true;
    return this.#fields?.some((path) => path.every((name, at) => names[at] === name)) ?? true;
  }

  /** For denies: any part of what it names is enough. */
  #touches({ kinds, leaves, depth }: Demands): boolean {
    const kind = this.#operations === null || [...kinds].some((each) => this.#operations?.has(each));
    const fields =
      this.#fields === null ||
      [...leaves].some((leaf) => {
        const names = leaf.split('.');
        return this.#fields?.some((path) => path.every((name, at) => at >= names.length || names[at] === name));
      });
    return kind && fields && (this.#depth === null || depth > this.#depth);
  }
}

function fieldPath(text: string): readonly string[] {
  if (!/^[_A-Za-z][_0-9A-Za-z]*(?:\.[_A-Za-z][_0-9A-Za-z]*)*$/.test(text))
    throw new RuleError(`"${text}" is not a path of GraphQL fields such as repository.issues`, ['fields']);
  return text.split('.');
}

/** Field names are the agent's to choose: no more of them is recorded than names are long. */
function shown(leaf: string): string {
  return leaf.length > 200 ? `${leaf.slice(0, 200)}…` : leaf;
}

class DocumentError extends Error {}

/** Everything any operation of a document could do: which one runs is not for the gate to guess. */
function demandsOf(text: string): Demands {
  const document = parse(text, { noLocation: true, maxTokens: MAX_TOKENS });
  const fragments = new Map<string, FragmentDefinitionNode>();
  const operations: OperationDefinitionNode[] = [];
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
    else if (definition.kind !== Kind.FRAGMENT_DEFINITION) throw new DocumentError('it defines types');
    else if (fragments.has(definition.name.value)) throw new DocumentError('a fragment stands twice');
    else fragments.set(definition.name.value, definition);
  }
  if (operations.length === 0) throw new DocumentError('it holds no operation');
  const walk = new Walk(fragments);
  for (const operation of operations) walk.enter(operation.selectionSet, '', 1, []);
  return { kinds: new Set(operations.map((each) => each.operation)), leaves: walk.leaves, depth: walk.depth };
}

class Walk {
  readonly leaves = new Set<string>();
  depth = 0;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  #fields = 0;

  constructor(fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
    this.#fragments = fragments;
  }

  enter(set: SelectionSetNode, prefix: string, depth: number, spread: readonly string[]): void {
    this.depth = Math.max(this.depth, depth);
    for (const selection of set.selections) {
      if (++this.#fields > MAX_FIELDS) throw new DocumentError('it asks for too many fields');
      if (selection.kind === Kind.FIELD) {
        const path = prefix === '' ? selection.name.value : `${prefix}.${selection.name.value}`;
        if (selection.selectionSet === undefined) this.leaves.add(path);
        else this.enter(selection.selectionSet, path, depth + 1, spread);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) this.enter(selection.selectionSet, prefix, depth, spread);
      else {
        const name = selection.name.value;
        const fragment = this.#fragments.get(name);
        if (fragment === undefined) throw new DocumentError('a fragment is not defined');
        if (spread.includes(name)) throw new DocumentError('a fragment contains itself');
        this.enter(fragment.selectionSet, prefix, depth, [...spread, name]);
      }
    }
  }
}

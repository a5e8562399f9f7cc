import type { Endpoint } from './rule.ts';

type Tree = { readonly [key: string]: unknown };

/** Parts whose members are names with predicates, which must all hold. */
const FIELDS = ['query', 'headers'] as const;
const BODY_FIELDS = ['json', 'form', 'multipart'] as const;

/**
 * Whether whatever satisfies all that `inner` asks for beyond host and path surely satisfies `outer` too. May say false where
 * a proof would take more: predicates are compared by how they are written.
 */
export function demandsCover(outer: Endpoint, inner: Endpoint): boolean {
  if (outer.demands === '' || outer.demands === inner.demands) return true;
  if (inner.demands === '') return false;
  const a = JSON.parse(outer.demands) as Tree;
  const b = JSON.parse(inner.demands) as Tree;
  if (!FIELDS.every((part) => fieldsCover(a[part] as Tree | undefined, b[part] as Tree | undefined))) return false;
  if (!bodyCovers(a['body'] as Tree | undefined, b['body'] as Tree | undefined)) return false;
  return ['graphql', 'jsonrpc', 'mcp'].every((part) => a[part] === undefined || same(a[part], b[part]));
}

function bodyCovers(outer: Tree | undefined, inner: Tree | undefined): boolean {
  if (outer === undefined) return true;
  if (inner === undefined) return false;
  return BODY_FIELDS.every((part) => fieldsCover(outer[part] as Tree | undefined, inner[part] as Tree | undefined));
}

/** Every name that is asked about outside is asked the same inside; where names are closed, inside lists no further one. */
function fieldsCover(outer: Tree | undefined, inner: Tree | undefined): boolean {
  if (outer === undefined) return true;
  if (inner === undefined) return false;
  const { closed: outerClosed = false, ...asked } = outer;
  const { closed: innerClosed = false, ...given } = inner;
  const all = Object.entries(asked).every(([name, predicate]) => covers(predicate, given[name]));
  if (outerClosed !== true) return all;
  return all && innerClosed === true && Object.keys(given).every((name) => name in asked);
}

/** The same predicate; one that makes the name optional is the wider of two. */
function covers(outer: unknown, inner: unknown): boolean {
  if (same(outer, inner)) return true;
  if (typeof outer !== 'object' || outer === null || !('optional' in outer)) return false;
  const { optional, ...rest } = outer;
  return optional === true && (same(rest, inner) || same(rest, plain(inner)));
}

/** `x` is short for `{ equals: x }`. */
function plain(predicate: unknown): unknown {
  return predicate === undefined || (typeof predicate === 'object' && predicate !== null)
    ? predicate
    : { equals: predicate };
}

function same(a: unknown, b: unknown): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}

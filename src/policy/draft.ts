import { getDomain } from 'tldts';

/** How often something was asked for, and when first and last. */
export interface Use {
  readonly count: number;
  readonly first: string;
  readonly last: string;
}

/** What a `*` of a draft stands for. */
export interface Star {
  readonly what: 'identifiers' | 'names' | 'hosts' | 'hidden';
  readonly values: ReadonlySet<string>;
}

/** One endpoint of a draft. */
export interface DraftRule {
  readonly scheme: string;
  readonly host: string;
  /** `:8443`; nothing where it is the scheme's own. */
  readonly port: string;
  readonly segments: readonly string[];
  /** Each method with how often it was asked for. */
  readonly methods: ReadonlyMap<string, number>;
  readonly websocket: boolean;
  readonly stars: readonly Star[];
  readonly use: Use;
}

/** Both times together. */
export function together(a: Use, b: Use): Use {
  return {
    count: a.count + b.count,
    first: a.first < b.first ? a.first : b.first,
    last: a.last > b.last ? a.last : b.last,
  };
}

/** One rule for each endpoint, whatever the method; by host, then by path. */
export function mergeMethods(rules: readonly DraftRule[]): DraftRule[] {
  return mergeBy(rules, originOf, 1, (rule) => rule).sort((a, b) => compare(sortKey(a), sortKey(b)));
}

/** Paths that differ in one name alone become one, where there are at least `least` of them. */
export function mergeNames(rules: readonly DraftRule[], least: number): DraftRule[] {
  let merged = [...rules];
  const longest = Math.max(0, ...rules.map(({ segments }) => segments.length));
  for (let place = 0; place < longest; place++) {
    const without = (rule: DraftRule): string | null => {
      const segment = rule.segments[place];
      if (segment === undefined || segment === '' || segment.includes('*')) return null;
      const others = rule.segments.with(place, '*');
      return `${originOf({ ...rule, segments: others })} ${[...rule.methods.keys()].join(',')}`;
    };
    merged = mergeBy(merged, without, least, (rule) => starAt(rule, place));
  }
  return merged;
}

/** How many rules one name in the path would spare, at most: what `mergeNames` is offered for. */
export function sparedByNames(rules: readonly DraftRule[], least: number): number {
  return rules.length - mergeMethods(mergeNames(rules, least)).length;
}

/** Hosts below the same name become a wildcard, where there are two and the name can be somebody's own. */
export function widenHosts(rules: readonly DraftRule[]): DraftRule[] {
  const below = new Map<string, Set<string>>();
  const key = (rule: DraftRule): string => `${rule.scheme} ${rule.port} ${parentOf(rule.host) ?? ''}`;
  for (const rule of rules) {
    if (parentOf(rule.host) === null) continue;
    const hosts = below.get(key(rule)) ?? new Set<string>();
    below.set(key(rule), hosts.add(rule.host));
  }
  return rules.map((rule) => {
    const hosts = parentOf(rule.host) === null ? undefined : below.get(key(rule));
    if (hosts === undefined || hosts.size < 2) return rule;
    const star: Star = { what: 'hosts', values: new Set([rule.host]) };
    return { ...rule, host: `*.${parentOf(rule.host) ?? ''}`, stars: [star, ...rule.stars] };
  });
}

/** The name above a host, if it belongs to whoever the host belongs to: never a public suffix, nor shared hosting. */
function parentOf(host: string): string | null {
  const domain = getDomain(host, { allowPrivateDomains: true });
  const parent = host.slice(host.indexOf('.') + 1);
  return domain === null || host === domain || !(parent === domain || parent.endsWith(`.${domain}`)) ? null : parent;
}

/** Merges rules of one key, where at least so many share it; others stay as they are. A null key stands alone. */
function mergeBy(
  rules: readonly DraftRule[],
  keyOf: (rule: DraftRule) => string | null,
  least: number,
  change: (rule: DraftRule) => DraftRule,
): DraftRule[] {
  const groups = new Map<string | DraftRule, DraftRule[]>();
  for (const rule of rules) {
    const key = keyOf(rule) ?? rule;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [rule]);
    else group.push(rule);
  }
  return [...groups].flatMap(([key, group]) =>
    typeof key === 'string' && group.length >= least ? [group.map(change).reduce(both)] : group,
  );
}

function both(a: DraftRule, b: DraftRule): DraftRule {
  const methods = new Map(a.methods);
  for (const [method, count] of b.methods) methods.set(method, (methods.get(method) ?? 0) + count);
  return {
    ...a,
    methods,
    websocket: a.websocket || b.websocket,
    stars: a.stars.map((star, index) => ({
      what: star.what,
      values: new Set([...star.values, ...(b.stars[index]?.values ?? [])]),
    })),
    use: together(a.use, b.use),
  };
}

/** The rule with a `*` for one of its segments; what stood there is remembered in its place among the others. */
function starAt(rule: DraftRule, place: number): DraftRule {
  const before = rule.segments.slice(0, place).join('/').split('*').length - 1 + (rule.host.startsWith('*') ? 1 : 0);
  const star: Star = { what: 'names', values: new Set([rule.segments[place] ?? '']) };
  return { ...rule, segments: rule.segments.with(place, '*'), stars: rule.stars.toSpliced(before, 0, star) };
}

function originOf({ scheme, host, port, segments }: DraftRule): string {
  return `${scheme}://${host}${port}/${segments.join('/')}`;
}

function sortKey(rule: DraftRule): string {
  return `${rule.host} ${rule.scheme} ${rule.port} ${rule.segments.join('/')}`;
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

import type { Target } from '../model/target.ts';
import { PathTrie } from './path-pattern.ts';
import { rankOf, type RankedRule, type Rule } from './rule.ts';

/** Rules of one host pattern, port and scheme. */
export interface HostRules {
  readonly trie: PathTrie<RankedRule>;
  readonly entries: RankedRule[];
}

/** Rules by host: one look-up for exact hosts, one for each suffix of the host where wildcards exist. */
export class HostIndex {
  readonly #exact = new Map<string, HostRules>();
  /** `scheme:port` → `1.suffix` or `n.suffix` → rules. The suffix of `**` is empty. */
  readonly #wild = new Map<string, Map<string, HostRules>>();

  add(rule: Rule): void {
    const rules = this.#rulesFor(rule);
    for (const path of rule.endpoint.paths) {
      const entry = { rule, path, rank: rankOf(rule.endpoint, path) };
      rules.trie.add(path, entry);
      rules.entries.push(entry);
    }
  }

  /** Every group of rules whose host pattern matches the target, most specific first. */
  match(target: Target): HostRules[] {
    const found: HostRules[] = [];
    const exact = this.#exact.get(target.key);
    if (exact !== undefined) found.push(exact);
    // A wildcard never matches an IP literal: "**" is about names.
    if (this.#wild.size === 0 || target.host.kind !== 'name') return found;
    const wild = this.#wild.get(`${target.scheme}:${target.port}`);
    if (wild !== undefined) matchSuffixes(wild, target.host.text, found);
    return found;
  }

  /** All groups, for checks at load time. */
  *groups(): Iterable<HostRules> {
    yield* this.#exact.values();
    for (const wild of this.#wild.values()) yield* wild.values();
  }

  #rulesFor(rule: Rule): HostRules {
    const { host, scheme, port } = rule.endpoint;
    if (host.kind === 'exact') return getOrMake(this.#exact, `${scheme}://${host.host}:${port}`);
    const key = `${scheme}:${port}`;
    let wild = this.#wild.get(key);
    if (wild === undefined) this.#wild.set(key, (wild = new Map()));
    return getOrMake(wild, `${host.kind === 'one-label' ? '1' : 'n'}.${host.host}`);
  }
}

function matchSuffixes(wild: Map<string, HostRules>, name: string, found: HostRules[]): void {
  let first = true;
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    const suffix = name.slice(dot + 1);
    const one = first ? wild.get(`1.${suffix}`) : undefined;
    if (one !== undefined) found.push(one);
    const many = wild.get(`n.${suffix}`);
    if (many !== undefined) found.push(many);
    first = false;
  }
  const any = wild.get('n.');
  if (any !== undefined) found.push(any);
}

function getOrMake(map: Map<string, HostRules>, key: string): HostRules {
  let rules = map.get(key);
  if (rules === undefined) map.set(key, (rules = { trie: new PathTrie(), entries: [] }));
  return rules;
}

import type { Scheme, Target } from '../model/target.ts';
import { PathTrie } from './path-pattern.ts';
import { rankOf, type RankedRule, type Rule } from './rule.ts';

/** Rules of one host pattern, port and scheme. */
export interface HostRules {
  /** Rules that see the canonical path. */
  readonly trie: PathTrie<RankedRule>;
  /** Rules that see the path as it came (`paths-raw`); null where there are none. */
  rawTrie: PathTrie<RankedRule> | null;
  readonly entries: RankedRule[];
}

/** Rules with a wildcard for a host, by what follows the wildcard. The suffix of `**` is empty. */
interface WildRules {
  readonly oneLabel: Map<string, HostRules>;
  readonly manyLabels: Map<string, HostRules>;
}

const NOTHING: readonly HostRules[] = [];

/** Rules by host: one look-up for exact hosts, one for each suffix of the host where wildcards exist. */
export class HostIndex {
  readonly #exact = new Map<string, HostRules>();
  readonly #wild = new Map<number, WildRules>();

  add(rule: Rule): void {
    const rules = this.#rulesFor(rule);
    for (const path of rule.endpoint.paths) {
      const entry = { rule, path, rank: rankOf(rule.endpoint, path) };
      if (rule.endpoint.pathsRaw) (rules.rawTrie ??= new PathTrie()).add(path, entry);
      else rules.trie.add(path, entry);
      rules.entries.push(entry);
    }
  }

  /** Every group of rules whose host pattern matches the target, most specific first. */
  match(target: Target): readonly HostRules[] {
    const exact = this.#exact.get(target.key);
    // A wildcard never matches an IP literal: "**" is about names.
    const wild = target.host.kind === 'name' ? this.#wild.get(serviceKey(target.scheme, target.port)) : undefined;
    if (exact === undefined && wild === undefined) return NOTHING;
    const found = exact === undefined ? [] : [exact];
    if (wild !== undefined) matchSuffixes(wild, target.host.text, found);
    return found;
  }

  /** All groups, for checks at load time. */
  *groups(): Iterable<HostRules> {
    yield* this.#exact.values();
    for (const wild of this.#wild.values()) yield* [...wild.oneLabel.values(), ...wild.manyLabels.values()];
  }

  #rulesFor(rule: Rule): HostRules {
    const { host, scheme, port } = rule.endpoint;
    if (host.kind === 'exact') return getOrMake(this.#exact, `${scheme}://${host.host}:${port}`);
    const key = serviceKey(scheme, port);
    let wild = this.#wild.get(key);
    if (wild === undefined) this.#wild.set(key, (wild = { oneLabel: new Map(), manyLabels: new Map() }));
    return getOrMake(host.kind === 'one-label' ? wild.oneLabel : wild.manyLabels, host.host);
  }
}

/** Scheme and port as one number: a key that needs no text. */
function serviceKey(scheme: Scheme, port: number): number {
  return port * 4 + (scheme === 'https' ? 0 : scheme === 'http' ? 1 : 2);
}

function matchSuffixes(wild: WildRules, name: string, found: HostRules[]): void {
  let first = true;
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    const suffix = name.slice(dot + 1);
    const one = first ? wild.oneLabel.get(suffix) : undefined;
    if (one !== undefined) found.push(one);
    const many = wild.manyLabels.get(suffix);
    if (many !== undefined) found.push(many);
    first = false;
  }
  const any = wild.manyLabels.get('');
  if (any !== undefined) found.push(any);
}

function getOrMake(map: Map<string, HostRules>, key: string): HostRules {
  let rules = map.get(key);
  if (rules === undefined) map.set(key, (rules = { trie: new PathTrie(), rawTrie: null, entries: [] }));
  return rules;
}

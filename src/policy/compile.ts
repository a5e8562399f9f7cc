import type { Cidr } from '../model/cidr.ts';
import type { Place } from '../model/decision.ts';
import type { Mode } from '../model/mode.ts';
import { checkAgent, checkOverlappingSources, checkSharedCertificates } from './conflicts.ts';
import type { ScanTerms } from '../model/scan-profile.ts';
import { parseDetectors } from './detectors.ts';
import { parseEndpoint } from './endpoint.ts';
import { HostIndex } from './host-index.ts';
import { hostPatternText } from './host-pattern.ts';
import type { Limit } from '../model/limit.ts';
import { WATCH_KINDS, type QuarantineTerms } from '../model/quarantine.ts';
import { NO_QUARANTINE, parseQuarantine, quarantineOf, type QuarantineParts } from './quarantine.ts';
import { parseLimits, parseSessionTime, withDefaults } from './limits.ts';
import { parseCidrs, type Merged, type Named } from './merge.ts';
import { bindParameters, fillEndpoint, type ParameterValues } from './parameters.ts';
import type { AgentPolicy, Policy } from './policy.ts';
import { problemAt, type Problem } from './problem.ts';
import type { Endpoint, Rule } from './rule.ts';
import { parseScan } from './scan.ts';
import type { AgentSpec, CapabilitySpec, EndpointSpec, GrantSpec, TenantSpec } from './schema.ts';
import { keyRangeOf, rangeOf, type Source } from './source.ts';
import { didYouMean } from './suggest.ts';

/** Builds tries, sets and predicates from definitions, so that a request only looks up. Problems are added to the list. */
export function compile(merged: Merged, generation: string, problems: Problem[]): Policy {
  return new Compiler(merged, problems).policy(generation);
}

/** What a rule has from whoever it belongs to. */
type Owner = Pick<Rule, 'capability' | 'mode' | 'networks' | 'limits' | 'scan' | 'transcript'>;
const NOBODY: Owner = { capability: null, mode: null, networks: [], limits: [], scan: null, transcript: false };

/** A capability filled in for one grant. */
interface Granted {
  /** Equal for grants of the same capability with the same values and mode. */
  readonly key: string;
  readonly rules: readonly Rule[];
}

/** What holds for agents that say nothing else. */
interface Defaults {
  readonly mode: Mode;
  readonly denies: readonly Rule[];
  readonly limits: readonly Limit[];
  readonly sessionTime: number | null;
  readonly quarantine: QuarantineParts;
  readonly scan: ScanTerms | null;
}

class Compiler {
  readonly #merged: Merged;
  readonly #problems: Problem[];
  readonly #granted = new Map<string, Granted>();
  readonly #shared = new Map<string, HostIndex>();
  readonly #tenantLimits = new Map<string, readonly Limit[]>();
  #ruleCount = 0;
  #readsHeaders = false;
  #readsBodies = false;
  /** Where a transcript is asked for first. */
  #transcripts: Place | null = null;

  constructor(merged: Merged, problems: Problem[]) {
    this.#merged = merged;
    this.#problems = problems;
  }

  policy(generation: string): Policy {
    const everybody = this.#defaults();
    for (const capability of this.#merged.capabilities.values()) this.#checkUngranted(capability);
    for (const tenant of this.#merged.tenants.values()) this.#tenantLimits.set(tenant.name, this.#limitsOf(tenant));
    const agents = new Map<string, AgentPolicy>();
    for (const agent of this.#merged.agents.values()) agents.set(agent.name, this.#agent(agent, everybody));
    checkOverlappingSources(agents, this.#merged, this.#problems);
    checkSharedCertificates(agents, this.#merged, this.#problems);
    const capabilities = new Set(this.#merged.capabilities.keys());
    const counts = { agents: agents.size, capabilities: capabilities.size, rules: this.#ruleCount };
    return {
      generation,
      agents,
      deny: indexOf(everybody.denies),
      networks: this.#merged.networks,
      detectors: parseDetectors(this.#merged.detectors, this.#problems, { ship: false }),
      readsHeaders: this.#readsHeaders,
      readsBodies: this.#readsBodies,
      transcripts: this.#transcripts,
      capabilities,
      counts,
    };
  }

  #defaults(): Defaults {
    const { spec = {}, source } = this.#merged.defaults ?? {};
    const at = (key: string): PropertyKey[] => ['defaults', key];
    // Without a file there is nothing to read, and nothing that could be wrong with it.
    if (source === undefined)
      return { mode: 'enforce', denies: [], limits: [], sessionTime: null, quarantine: NO_QUARANTINE, scan: null };
    return {
      mode: spec.mode ?? 'enforce',
      denies: this.#rules(spec.deny, source, at('deny'), NOBODY),
      limits: parseLimits(spec.limits, source, at('limits'), this.#problems),
      sessionTime: parseSessionTime(spec.limits, source, at('limits'), this.#problems),
      quarantine: parseQuarantine(spec.quarantine, source, at('quarantine'), this.#problems),
      scan: parseScan(spec.scan, source, at('scan'), this.#problems),
    };
  }

  #agent(agent: Named<AgentSpec>, defaults: Defaults): AgentPolicy {
    const { name, spec, source } = agent;
    const at = (...path: PropertyKey[]): PropertyKey[] => ['agents', name, ...path];
    const networks = this.#networkNames(spec.networks, source, at('networks'));
    const own = this.#rules(spec.allow, source, at('allow'), { ...NOBODY, networks });
    const denies = this.#rules(spec.deny, source, at('deny'), NOBODY);
    const granted = (spec.capabilities ?? [])
      .map((grant, index) => this.#grant(grant, source, at('capabilities', index)))
      .filter((each) => each !== null);
    checkAgent(
      {
        own,
        granted: granted.flatMap((each) => each.rules),
        denies,
        defaultDenies: defaults.denies,
        sources: this.#sources(),
      },
      this.#problems,
    );
    return {
      name,
      tenant: spec.tenant ?? null,
      mode: spec.mode ?? defaults.mode,
      tokenHashes: this.#tokenHashes(agent),
      sourceNetworks: this.#sourceNetworks(agent),
      certificate: spec.identity.certificate ?? null,
      allow: [indexOf(own), this.#sharedIndex(granted)].filter((index) => index !== null),
      deny: indexOf(denies),
      limits: withDefaults(parseLimits(spec.limits, source, at('limits'), this.#problems), defaults.limits),
      capabilities: new Set((spec.capabilities ?? []).map((grant) => (typeof grant === 'string' ? grant : grant.use))),
      sessionsRequired: spec.sessions === 'required',
      sessionTime: parseSessionTime(spec.limits, source, at('limits'), this.#problems) ?? defaults.sessionTime,
      quarantine: this.#quarantineOf(agent, defaults.quarantine),
      scan: [parseScan(spec.scan, source, at('scan'), this.#problems), defaults.scan].filter((each) => each !== null),
      tenantLimits: this.#limitsOfTenant(spec.tenant, source, at('tenant')),
    };
  }

  #quarantineOf({ name, spec, source }: Named<AgentSpec>, everybody: QuarantineParts): QuarantineTerms | null {
    const path = ['agents', name, 'quarantine'];
    const own = parseQuarantine(spec.quarantine, source, path, this.#problems);
    const terms = quarantineOf(own, everybody);
    if (terms === null && typeof spec.quarantine === 'object') {
      const hint = `write one of ${WATCH_KINDS.join(', ')}`;
      this.#problems.push(problemAt(source, rangeOf(source, path), 'nothing is watched for this quarantine', { hint }));
    }
    return terms;
  }

  #limitsOf({ name, spec, source }: Named<TenantSpec>): readonly Limit[] {
    return parseLimits(spec.limits, source, ['tenants', name, 'limits'], this.#problems);
  }

  /** Tenants are names until somebody defines one: from then on each must be defined. */
  #limitsOfTenant(name: string | undefined, source: Source, path: PropertyKey[]): readonly Limit[] {
    if (name === undefined || this.#tenantLimits.size === 0) return [];
    const limits = this.#tenantLimits.get(name);
    if (limits !== undefined) return limits;
    const hint = didYouMean(name, [...this.#tenantLimits.keys()]);
    this.#problems.push(problemAt(source, rangeOf(source, path), `no tenant "${name}" is defined`, { hint }));
    return [];
  }

  /** Agents with the same grants share one index: a fleet of a thousand costs one. */
  #sharedIndex(granted: readonly Granted[]): HostIndex | null {
    if (granted.length === 0) return null;
    const unique = new Map(granted.map((each) => [each.key, each]));
    const key = [...unique.keys()].sort().join('\n');
    let index = this.#shared.get(key);
    if (index === undefined)
      this.#shared.set(key, (index = indexOf([...unique.values()].flatMap((each) => each.rules))));
    return index;
  }

  #grant(grant: GrantSpec, source: Source, path: PropertyKey[]): Granted | null {
    const { use, with: given = {}, mode } = typeof grant === 'string' ? { use: grant } : grant;
    const capability = this.#merged.capabilities.get(use);
    if (capability === undefined) {
      const hint = didYouMean(use, [...this.#merged.capabilities.keys()]);
      this.#problems.push(problemAt(source, rangeOf(source, path), `no capability "${use}" is defined`, { hint }));
      return null;
    }
    const bound = bindParameters(capability.spec, given);
    if (!bound.ok) {
      this.#problems.push(problemAt(source, rangeOf(source, path), `${use}: ${bound.message}`, { hint: bound.hint }));
      return null;
    }
    const effective = mode ?? capability.spec.mode ?? null;
    const key = JSON.stringify([use, [...bound.value], effective]);
    let granted = this.#granted.get(key);
    if (granted === undefined)
      this.#granted.set(key, (granted = { key, rules: this.#capabilityRules(capability, bound.value, effective) }));
    return granted;
  }

  #capabilityRules(capability: Named<CapabilitySpec>, values: ParameterValues, mode: Mode | null): Rule[] {
    const { name, spec, source } = capability;
    const networks = this.#networkNames(spec.networks, source, ['capabilities', name, 'networks']);
    const found: Problem[] = [];
    const limits = parseLimits(spec.limits, source, ['capabilities', name, 'limits'], found);
    const scan = parseScan(spec.scan, source, ['capabilities', name, 'scan'], found);
    for (const problem of found) this.#report(problem);
    const transcript = spec.audit === 'transcript';
    const owner: Owner = { capability: name, mode, networks, limits, scan, transcript };
    const rules = this.#rules(spec.endpoints, source, ['capabilities', name, 'endpoints'], owner, values);
    if (transcript) this.#wantTranscript(capability, rules);
    return rules;
  }

  /** What is said is kept where it is read: a capability that opens what is not read cannot ask for it. */
  #wantTranscript({ name, source }: Named<CapabilitySpec>, rules: readonly Rule[]): void {
    const range = keyRangeOf(source, ['capabilities', name], 'audit');
    const { place } = problemAt(source, range, '');
    this.#transcripts ??= place;
    const unread = rules.find(({ endpoint }) => endpoint.scheme === 'tcp' || !endpoint.intercept);
    if (unread === undefined) return;
    const message = `"${unread.text}" is not read by the gate: there is no transcript of it`;
    this.#report(problemAt(source, range, message, { hint: 'put it into a capability of its own' }));
  }

  /** A capability nobody is granted is checked all the same, with stand-ins for its parameters. */
  #checkUngranted(capability: Named<CapabilitySpec>): void {
    const standIns = new Map(
      Object.entries(capability.spec.parameters ?? {}).map(([name, each]) => [
        name,
        each.type === 'host' ? 'mirror.example' : 'https://mirror.example',
      ]),
    );
    if (standIns.size > 0) {
      this.#capabilityRules(capability, standIns, null);
      return;
    }
    const key = JSON.stringify([capability.name, [], capability.spec.mode ?? null]);
    this.#granted.set(key, { key, rules: this.#capabilityRules(capability, standIns, capability.spec.mode ?? null) });
  }

  #rules(
    specs: readonly EndpointSpec[] | undefined,
    source: Source,
    path: PropertyKey[],
    owner: Owner,
    values?: ParameterValues,
  ): Rule[] {
    const rules: Rule[] = [];
    if (specs === undefined) return rules;
    const offsets = itemOffsets(source, path);
    specs.forEach((spec, index) => {
      const endpoint = this.#endpoint(spec, source, [...path, index], values);
      if (endpoint === null) return;
      const { line, col } = source.lines.linePos(offsets(index));
      rules.push({
        endpoint,
        text: endpoint.text,
        place: { file: source.name, line, column: col },
        ...owner,
      });
      this.#ruleCount++;
      this.#readsHeaders ||= endpoint.headers !== null;
      this.#readsBodies ||= endpoint.content !== null;
    });
    return rules;
  }

  #endpoint(
    spec: EndpointSpec,
    source: Source,
    path: PropertyKey[],
    values: ParameterValues | undefined,
  ): Endpoint | null {
    const filled = values === undefined ? ({ ok: true, value: spec } as const) : fillEndpoint(spec, values);
    const parsed = filled.ok ? parseEndpoint(filled.value) : filled;
    if (!parsed.ok) {
      const at = parsed.at ?? [];
      const last = at.at(-1);
      const range =
        last === undefined ? rangeOf(source, path) : keyRangeOf(source, [...path, ...at.slice(0, -1)], last);
      this.#report(problemAt(source, range, parsed.message, { hint: parsed.hint }));
      return null;
    }
    if (parsed.value.host.kind === 'any' && path[0] !== 'defaults' && path[2] !== 'deny') {
      const hint = 'name the hosts; `check --strict` makes this an error';
      this.#report(
        problemAt(source, rangeOf(source, path), '"**" opens every host on the internet', {
          hint,
          severity: 'warning',
        }),
      );
    }
    if (!parsed.value.intercept && path[0] !== 'defaults' && path[2] !== 'deny') {
      const host = hostPatternText(parsed.value.host);
      const hint = `methods, paths and content of what goes to ${host} are not seen; the record says inspected: false`;
      const message = 'this endpoint is not intercepted: host and port are all that is judged';
      this.#report(problemAt(source, rangeOf(source, path), message, { hint, severity: 'note' }));
    }
    return parsed.value;
  }

  /** A capability granted twice is compiled twice; what is wrong with it is said once. */
  #report(problem: Problem): void {
    const same = this.#problems.some(
      (each) =>
        each.message === problem.message &&
        each.place.file === problem.place.file &&
        each.place.line === problem.place.line,
    );
    if (!same) this.#problems.push(problem);
  }

  #networkNames(names: readonly string[] | undefined, source: Source, path: PropertyKey[]): string[] {
    for (const [index, name] of (names ?? []).entries()) {
      if (this.#merged.networks.has(name)) continue;
      const hint = didYouMean(name, [...this.#merged.networks.keys()]);
      this.#report(problemAt(source, rangeOf(source, [...path, index]), `no network "${name}" is defined`, { hint }));
    }
    return [...new Set(names)].sort();
  }

  #tokenHashes({ name, spec, source }: Named<AgentSpec>): string[] {
    const tokens = spec.identity.token === undefined ? [] : [spec.identity.token].flat();
    for (const token of tokens) {
      if (/^sha256:[0-9a-f]{64}$/.test(token)) continue;
      const hint = `\`sallyport agent token ${name}\` prints a token and the line that belongs here`;
      this.#problems.push(
        problemAt(
          source,
          rangeOf(source, ['agents', name, 'identity', 'token']),
          'the token is not "sha256:" and 64 hex digits',
          { hint },
        ),
      );
    }
    if (tokens.length === 0 && spec.identity.networks === undefined && spec.identity.certificate === undefined) {
      const hint = 'name a token or networks: without one nobody can be this agent';
      this.#problems.push(
        problemAt(source, rangeOf(source, ['agents', name, 'identity']), `agent "${name}" has no identity`, { hint }),
      );
    }
    return tokens.map((token) => token.slice('sha256:'.length));
  }

  #sourceNetworks({ name, spec, source }: Named<AgentSpec>): Cidr[] {
    return parseCidrs(spec.identity.networks ?? [], source, ['agents', name, 'identity', 'networks'], this.#problems);
  }

  #sources(): ReadonlyMap<string, Source> {
    this.#sourceMap ??= new Map(
      [
        ...this.#merged.agents.values(),
        ...this.#merged.capabilities.values(),
        ...(this.#merged.defaults === null ? [] : [this.#merged.defaults]),
      ].map((each) => [each.source.name, each.source]),
    );
    return this.#sourceMap;
  }
  #sourceMap: Map<string, Source> | undefined;
}

function indexOf(rules: readonly Rule[]): HostIndex {
  const index = new HostIndex();
  for (const rule of rules) index.add(rule);
  return index;
}

/** Offsets of the items of a list, found once: files with many rules are walked, not searched. */
function itemOffsets(source: Source, path: PropertyKey[]): (index: number) => number {
  const list = source.document.getIn(path, true) as
    { items?: ReadonlyArray<{ range?: readonly number[] | null }> } | undefined;
  const fallback = rangeOf(source, path)[0];
  return (index) => list?.items?.[index]?.range?.[0] ?? fallback;
}

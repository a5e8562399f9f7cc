import type { Decision, Place, RuleReference } from '../model/decision.ts';
import type { BodyFacts, Facts } from '../model/facts.ts';
import type { Reason } from '../model/reason.ts';
import { compile } from './compile.ts';
import { decide } from './decide.ts';
import type { HostIndex } from './host-index.ts';
import { readRules } from './load.ts';
import { bindParameters } from './parameters.ts';
import type { CheckedFile, Merged, Named } from './merge.ts';
import type { Policy } from './policy.ts';
import { byPlace, problemAt, type Problem } from './problem.ts';
import { factsOfRequest } from './request.ts';
import type { Rule } from './rule.ts';
import type { AgentSpec, CapabilitySpec, GrantSpec, TestSpec } from './schema.ts';
import { rangeOf, type Source } from './source.ts';
import { didYouMean } from './suggest.ts';

/** What a test expects of each of its requests. */
interface Expectation {
  readonly decision: 'allow' | 'deny';
  readonly reason: Reason | null;
  readonly capability: string | null;
}

/** A test as it stands in a rule file. */
export interface RuleTest {
  readonly name: string;
  readonly place: Place;
  readonly requests: ReadonlyArray<{ readonly text: string; readonly facts: Facts }>;
  readonly expect: Expectation;
}

export interface TestResult {
  readonly test: RuleTest;
  /** What was not as expected, a line for each request; empty: it passed. */
  readonly failures: readonly string[];
}

/** Something a test can exercise: an endpoint that allows, one that denies, or what an endpoint asks beyond its path. */
export interface Coverable {
  readonly place: Place;
  readonly text: string;
  readonly what: 'allow' | 'deny' | 'query' | 'headers' | 'content';
}

export interface TestRun {
  readonly results: readonly TestResult[];
  readonly covered: readonly Coverable[];
  readonly uncovered: readonly Coverable[];
}

/** Rules made ready for their tests; null policy: some rule or test does not load. */
export interface LoadedTests {
  readonly policy: Policy | null;
  readonly tests: readonly RuleTest[];
  readonly problems: readonly Problem[];
}

/**
 * Reads rules and the tests among them. A test is of an agent, or of a capability alone: then an agent is made up that has
 * that capability and no other. One is made up for every capability, so that what no test reaches is known.
 */
export function loadTests(root: string): LoadedTests {
  const { merged, files, generation, problems } = readRules(root);
  if (merged === null) return { policy: null, tests: [], problems: problems.sort(byPlace) };
  const agents = new Map(merged.agents);
  for (const capability of merged.capabilities.values()) {
    const name = `every endpoint of ${capability.name}`;
    agents.set(name, agentWith(name, { use: capability.name, with: placeholders(capability.spec) }, capability.source));
  }
  const tests = files.flatMap((file) => testsOf(file, merged, agents, problems));
  const policy = compile({ ...merged, agents }, generation, problems);
  const failed = problems.some((problem) => problem.severity === 'error');
  return { policy: failed ? null : policy, tests, problems: problems.sort(byPlace) };
}

/** Decides every request of every test, and notes what that exercised. */
export function runTests(policy: Policy, tests: readonly RuleTest[]): TestRun {
  const exercised = new Set<string>();
  const denied = denies(policy);
  const results = tests.map((test) => ({ test, failures: runOne(policy, test, denied, exercised) }));
  const all = coverables(policy);
  const has = (each: Coverable): boolean => exercised.has(keyOf(each.place, each.what));
  return { results, covered: all.filter(has), uncovered: all.filter((each) => !has(each)) };
}

function runOne(policy: Policy, test: RuleTest, denied: ReadonlySet<RuleReference>, exercised: Set<string>): string[] {
  return test.requests.flatMap(({ text, facts }) => {
    const decision = decide(facts, policy);
    const what = whatOf(decision, denied);
    if (decision.rule !== null && what !== null) exercised.add(keyOf(decision.rule.place, what));
    const { expect } = test;
    const reason = decision.kind === 'deny' ? decision.reason : null;
    const capability = decision.kind === 'allow' ? decision.obligations.capability : decision.capability;
    const matches =
      decision.kind === expect.decision &&
      (expect.reason === null || expect.reason === reason) &&
      (expect.capability === null || expect.capability === capability);
    return matches ? [] : [`${text}: expected ${wordsOf(expect)}, got ${gotOf(decision)}`];
  });
}

function wordsOf({ decision, reason, capability }: Expectation): string {
  return [decision, reason, capability === null ? null : `by ${capability}`].filter((word) => word !== null).join(' ');
}

function gotOf(decision: Decision): string {
  if (decision.kind === 'deny') return `deny ${decision.reason} (${decision.detail})`;
  const { place, text } = decision.rule;
  return `allow by ${place.file}:${place.line}: ${text}`;
}

/** What of a rule a decision exercised. */
function whatOf(decision: Decision, denied: ReadonlySet<RuleReference>): Coverable['what'] | null {
  if (decision.kind === 'allow') return 'allow';
  if (decision.rule !== null && denied.has(decision.rule)) return 'deny';
  if (decision.reason === 'query-not-allowed') return 'query';
  if (decision.reason === 'header-not-allowed') return 'headers';
  return decision.reason === 'body-not-allowed' || decision.reason === 'tool-not-found' ? 'content' : null;
}

function denies(policy: Policy): ReadonlySet<RuleReference> {
  return new Set([policy.deny, ...[...policy.agents.values()].map((agent) => agent.deny)].flatMap(rulesOf));
}

function rulesOf(index: HostIndex): Rule[] {
  return [...index.groups()].flatMap((group) => group.entries.map((entry) => entry.rule));
}

/** Everything tests can exercise, once for each place. */
function coverables(policy: Policy): Coverable[] {
  const found = new Map<string, Coverable>();
  const add = (rule: Rule, what: Coverable['what']): void => {
    const key = keyOf(rule.place, what);
    if (!found.has(key)) found.set(key, { place: rule.place, text: rule.text, what });
  };
  for (const rule of denies(policy)) add(rule as Rule, 'deny');
  for (const agent of policy.agents.values()) {
    for (const rule of agent.allow.flatMap(rulesOf)) {
      const { query, headers, content } = rule.endpoint;
      add(rule, 'allow');
      if (query !== null) add(rule, 'query');
      if (headers !== null) add(rule, 'headers');
      if (content !== null) add(rule, 'content');
    }
  }
  return [...found.values()].sort(
    (a, b) => a.place.file.localeCompare(b.place.file) || a.place.line - b.place.line || a.what.localeCompare(b.what),
  );
}

function keyOf(place: Place, what: Coverable['what']): string {
  return `${place.file}:${place.line}:${place.column} ${what}`;
}

function testsOf(
  { source, file }: CheckedFile,
  merged: Merged,
  agents: Map<string, Named<AgentSpec>>,
  problems: Problem[],
): RuleTest[] {
  return (file.tests ?? []).flatMap((spec, index) => {
    const report = (key: string, message: string, hint: string): void =>
      void problems.push(problemAt(source, rangeOf(source, ['tests', index, key]), message, { hint }));
    const agent = agentOf(spec, `test ${source.name} ${index}`, source, merged, agents, report);
    if (agent === null) return [];
    const requests = [spec.request].flat().flatMap((text) => {
      const [, method = '', url = ''] = /^(\S+)\s+(\S+)$/.exec(text.trim()) ?? [];
      const facts = factsOfRequest({ agent, method, url, headers: headersOf(spec), body: bodyOf(spec) });
      if (facts.ok) return [{ text, facts: facts.value }];
      report('request', facts.message, 'write "METHOD URL", for example "GET https://api.example.com/v1/users"');
      return [];
    });
    const { line, col } = source.lines.linePos(rangeOf(source, ['tests', index])[0]);
    const place = { file: source.name, line, column: col };
    return [{ name: spec.name, place, requests, expect: expectationOf(spec) }];
  });
}

/** The agent a test is of; one is made up for a capability. Null where there is none. */
function agentOf(
  spec: TestSpec,
  made: string,
  source: Source,
  merged: Merged,
  agents: Map<string, Named<AgentSpec>>,
  report: (key: string, message: string, hint: string) => void,
): string | null {
  const { agent, capability } = spec;
  if ((agent === undefined) === (capability === undefined)) {
    report('name', 'a test is of an agent or of a capability', 'write one of "agent" and "capability"');
    return null;
  }
  if (agent !== undefined) {
    if (merged.agents.has(agent)) return agent;
    report('agent', `no agent "${agent}" is defined`, didYouMean(agent, [...merged.agents.keys()]));
    return null;
  }
  const known = merged.capabilities.get(capability as string);
  if (known === undefined) {
    const hint = didYouMean(capability as string, [...merged.capabilities.keys()]);
    report('capability', `no capability "${capability as string}" is defined`, hint);
    return null;
  }
  const bound = bindParameters(known.spec, spec.with ?? {});
  if (!bound.ok) {
    report(spec.with === undefined ? 'capability' : 'with', bound.message, bound.hint);
    return null;
  }
  agents.set(made, agentWith(made, { use: known.name, with: spec.with ?? {} }, source));
  return made;
}

/** Nobody can be this agent: no address is in its network. */
function agentWith(name: string, grant: GrantSpec, source: Source): Named<AgentSpec> {
  return { name, spec: { identity: { networks: [] }, capabilities: [grant] }, source };
}

/** Some value for parameters that a grant would have to give. */
function placeholders({ parameters }: CapabilitySpec): Record<string, string> {
  const needed = Object.entries(parameters ?? {}).filter(([, parameter]) => parameter.default === undefined);
  return Object.fromEntries(needed.map(([name]) => [name, 'parameter.invalid']));
}

function headersOf(spec: TestSpec): string[] {
  const headers = Object.entries(spec.headers ?? {}).flat();
  const type = contentTypeOf(spec);
  return type === null || spec.headers?.['Content-Type'] !== undefined ? headers : [...headers, 'Content-Type', type];
}

function contentTypeOf(spec: TestSpec): string | null {
  if (spec.json !== undefined) return 'application/json';
  return spec.form === undefined ? null : 'application/x-www-form-urlencoded';
}

function bodyOf(spec: TestSpec): BodyFacts {
  const given = spec.headers?.['Content-Type'] ?? contentTypeOf(spec);
  const contentType = given === null || given === undefined ? [] : [given];
  const text =
    spec.json !== undefined
      ? JSON.stringify(spec.json)
      : spec.form !== undefined
        ? new URLSearchParams(spec.form).toString()
        : spec.body;
  return text === undefined ? { kind: 'none' } : { kind: 'whole', bytes: Buffer.from(text), contentType };
}

function expectationOf({ expect }: TestSpec): Expectation {
  if (typeof expect === 'string') return { decision: expect, reason: null, capability: null };
  return { decision: expect.decision, reason: expect.reason ?? null, capability: expect.capability ?? null };
}

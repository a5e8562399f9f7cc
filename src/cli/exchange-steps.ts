import { styleText } from 'node:util';
import type { AuditEvent, OutcomeEvent } from '../model/audit-event.ts';
import { ruleText } from '../model/decision.ts';
import type { Limit } from '../model/limit.ts';
import { FINDING_REASONS, type Reason } from '../model/reason.ts';
import { loadPolicy } from '../policy/load.ts';
import { nearRules, type NearRule } from '../policy/near.ts';
import type { Policy } from '../policy/policy.ts';
import { factsOf, replay } from '../policy/replay.ts';
import { shortenPaths } from './places.ts';

/** Rules that did not decide it are told of, so many of them. */
const MOST_NEAR = 5;
const DIFFERS = { path: 'another path', method: 'another method', more: 'asks for more' } as const;

/** The rules an exchange is looked at by. */
export interface RulesOf {
  /** Folder of the rules as they are. */
  readonly now: string;
  /** The folder of the rules of a generation, as the gate has kept it; null: it has not. */
  kept(generation: string): string | null;
}

/** Rules as they were when an exchange was decided, or as they are, where those are not kept any more. */
interface Decisive {
  readonly policy: Policy | null;
  /** They are not those of then. */
  readonly isOther: boolean;
}

/** One exchange step by step, a line for each: as its events say, what rules of then nearly decided it, and what rules say of it now. */
export function exchangeSteps(events: readonly AuditEvent[], rules: RulesOf): string {
  const { policy } = loadPolicy(rules.now);
  const outcome = events.find((event): event is OutcomeEvent => event.kind === 'outcome');
  const steps =
    outcome === undefined ? interrupted(events) : stepsOf(outcome, events, policy, decisive(outcome, policy, rules));
  return steps.map(([name, text]) => `${styleText('bold', name.padEnd(9))} ${shortenPaths(text)}\n`).join('');
}

function decisive({ policy: generation }: OutcomeEvent, policy: Policy | null, { kept: keptBy }: RulesOf): Decisive {
  if (policy?.generation === generation) return { policy, isOther: false };
  const root = keptBy(generation);
  const kept = root === null ? null : loadPolicy(root).policy;
  return kept === null ? { policy, isOther: true } : { policy: kept, isOther: false };
}

type Step = readonly [name: string, text: string];

/** It was about to leave when its process died, or is under way. */
function interrupted(events: readonly AuditEvent[]): Step[] {
  const [intent] = events;
  const asked: Step[] =
    intent?.kind === 'intent'
      ? [
          [
            'asked',
            `${intent.method ?? ''} ${intent.target ?? ''}${intent.path ?? ''}, by ${intent.agent ?? 'nobody'}, at ${intent.time}`,
          ],
        ]
      : [];
  const ended = events.some(({ kind }) => kind === 'interrupted');
  return [
    ...asked,
    [
      'ended',
      ended ? 'interrupted: its process died, and nobody saw how it ended' : 'no end is on record: it may be under way',
    ],
  ];
}

function stepsOf(event: OutcomeEvent, events: readonly AuditEvent[], policy: Policy | null, then: Decisive): Step[] {
  return [
    ['asked', asked(event)],
    ...identified(event),
    ['decided', decided(event)],
    ...now(event, policy),
    ...nearly(event, then),
    ...limits(event, then),
    ...(event.findings ?? []).map(({ detector, where, action, via, direction }): Step => [
      'found',
      `${detector} in ${where} (${direction}${via.length === 0 ? '' : `, through ${via.join(', ')}`}): ${action}`,
    ]),
    ...recorded(events),
    ...(event.address === null ? [] : [['dialled', event.address] as const]),
    ['timing', timing(event)],
    ['ended', ended(event)],
    ...kept(events),
  ];
}

function asked({ method, scheme, host, port, path, query, protocol, time }: OutcomeEvent): string {
  const values = query?.map(({ name, length }) => `${name}=(${length} characters)`).join('&');
  const url = `${scheme ?? ''}://${host ?? ''}:${port ?? ''}${path ?? ''}${values === undefined ? '' : `?${values}`}`;
  return `${method ?? 'CONNECT'} ${url}${protocol === undefined ? '' : ` over ${protocol}`}, ended ${time}`;
}

function identified({ agent, source, session, tunnel }: OutcomeEvent): Step[] {
  const by = agent === null ? `nobody the gate knows, from ${source}` : `${agent}, from ${source}`;
  return [
    [
      'by',
      `${by}${session === undefined ? '' : `, session ${session}`}${tunnel === undefined ? '' : `, tunnel ${tunnel}`}`,
    ],
  ];
}

function decided({ decision, reason, detail, rule, mode, policy }: OutcomeEvent): string {
  const why = reason === undefined ? '' : `: ${reason}${detail === undefined ? '' : `, ${detail}`}`;
  return `${decision}${why}${rule === undefined ? '' : ` by ${rule}`}${mode === undefined ? '' : `, mode ${mode}`}, rules ${policy}`;
}

function now(event: OutcomeEvent, policy: Policy | null): Step[] {
  if (policy === null) return [['now', 'the rules do not load']];
  const same = policy.generation === event.policy ? 'the same rules' : `rules ${policy.generation}`;
  const replayed = replay(event, policy);
  if (replayed === null) return [['now', `${same}: rules do not decide it`]];
  if (replayed.after === 'unknown') return [['now', `${same}: unknown, for a rule reads what is not on record`]];
  if (replayed.after === 'allow' && wasFound(event))
    return [['now', `${same}: allow; what was found is for the scan profile to refuse, and is not on record`]];
  return [['now', `${same}: ${replayed.after}${replayed.after === 'allow' ? '' : `, ${replayed.reason}`}`]];
}

/** The rules allowed it, and the scanner did not. */
function wasFound({ reason }: OutcomeEvent): boolean {
  return reason !== undefined && FINDING_REASONS.has(reason as Reason);
}

/** What comes from other rules than those of then says so. */
function ofNow(isOther: boolean): string {
  return isOther ? ' (by the rules as they are now)' : '';
}

function nearly(event: OutcomeEvent, { policy, isOther }: Decisive): Step[] {
  const facts = factsOf(event);
  if (facts === null || policy === null) return [];
  const others = nearRules(facts, policy).filter(({ rule }) => !sameRule(ruleText(rule), event.rule));
  return others.slice(0, MOST_NEAR).map((near) => ['nearly', nearText(near) + ofNow(isOther)]);
}

/** Places change with the files; the rule itself stands behind them. */
function sameRule(text: string, recorded: string | undefined): boolean {
  const said = (each: string): string => each.replace(/^.*?:\d+: /, '');
  return recorded !== undefined && said(text) === said(recorded);
}

function nearText({ rule, kind, differs }: NearRule): string {
  const how = differs.length === 0 ? 'fits, and another outranks it' : differs.map((each) => DIFFERS[each]).join(', ');
  return `${ruleText(rule)}: ${kind === 'deny' ? 'denies; ' : ''}${how}`;
}

function limits({ agent, capability }: OutcomeEvent, { policy, isOther }: Decisive): Step[] {
  const own = policy?.agents.get(agent ?? '');
  if (own === undefined) return [];
  const of = (what: string, all: readonly Limit[]): string[] =>
    all.map(({ kind, text }) => `${kind} ${text} (${what})`);
  const rule = [...own.allow]
    .flatMap((index) => [...index.groups()])
    .flatMap(({ entries }) => entries)
    .find((each) => each.rule.capability === capability && capability !== undefined);
  const all = [
    ...of('agent', own.limits),
    ...of('tenant', own.tenantLimits),
    ...of(capability ?? '', rule?.rule.limits ?? []),
  ];
  return all.length === 0 ? [] : [['limits', all.join(', ') + ofNow(isOther)]];
}

function kept(events: readonly AuditEvent[]): Step[] {
  const transcript = events.find((event) => event.kind === 'transcript');
  return transcript === undefined
    ? []
    : [['kept', 'a transcript: "sallyport audit show" with --identity has what was said']];
}

function recorded(events: readonly AuditEvent[]): Step[] {
  const intent = events.find(({ kind }) => kind === 'intent');
  return intent === undefined ? [] : [['recorded', `intent at ${intent.time}`]];
}

function timing({ microseconds, timing: steps = {} }: OutcomeEvent): string {
  const parts = [
    ['decided in', steps.decided],
    ['external policy', steps.consulted],
    ['scanned in', steps.scanned],
    ['left after', steps.sent],
    ['answered after', steps.answered],
    ['over after', microseconds],
  ] as const;
  return parts.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${time(value)}`])).join(' · ');
}

function time(microseconds: number): string {
  return microseconds < 1000 ? `${microseconds} µs` : `${(microseconds / 1000).toFixed(1)} ms`;
}

function ended({ outcome, status, bytes }: OutcomeEvent): string {
  return `${outcome}, status ${status ?? '-'}, ${bytes.sent} body bytes to the upstream, ${bytes.received} from it`;
}

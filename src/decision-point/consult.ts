import type { Decision } from '../model/decision.ts';
import type { Facts } from '../model/facts.ts';
import type { Reason } from '../model/reason.ts';
import type { Allowance, DecisionPoint, DecisionPoints } from './decision-point.ts';
import { inputText } from './input.ts';

declare const judged: unique symbol;

/** Proof that a decision has been before everybody who has a say in it. Made only here. */
export type Judgement = Decision & { readonly [judged]: true };

/**
 * Asks every decision point about a request that the rules allow; one that says no, or cannot say, denies. What the rules
 * deny stays denied, and is told to nobody.
 */
export function consult(decision: Decision, facts: Facts, asked: DecisionPoints): Judgement | Promise<Judgement> {
  if (decision.kind !== 'allow' || asked.points.length === 0) return mintJudgement(decision);
  return askAll(decision, facts, asked);
}

async function askAll(allowance: Allowance, facts: Facts, asked: DecisionPoints): Promise<Judgement> {
  const input = inputText({ facts, allowance }, asked);
  for (const point of asked.points) {
    const denied = await denialBy(point, input, allowance, facts);
    if (denied !== null) return mintJudgement(denied);
  }
  return mintJudgement(allowance);
}

async function denialBy(
  point: DecisionPoint,
  input: string,
  allowance: Allowance,
  facts: Facts,
): Promise<Decision | null> {
  const deny = (reason: Reason, detail: string): Decision => ({
    kind: 'deny',
    mode: allowance.mode,
    reason,
    detail,
    rule: allowance.rule,
    capability: allowance.obligations.capability,
    remedy: '',
  });
  let answer: unknown;
  try {
    answer = await point.ask(input);
  } catch (error) {
    return deny('decision-point-unavailable', `${point.name} cannot be asked: ${wordsOf(error)}`);
  }
  const verdict = verdictOf(answer);
  const asked = `${facts.method} on ${facts.target.host.text}`;
  if (verdict === null)
    return deny('decision-point-unavailable', `${point.name} gave no answer that is true, false or {"allow": …}`);
  if (verdict.allow) return null;
  return deny(
    'decision-point-denied',
    `${point.name} denies ${asked}${verdict.reason === '' ? '' : `: ${verdict.reason}`}`,
  );
}

/** Longest reason that is passed on, in characters. */
const MAX_REASON = 200;

/** What an answer means; null where it means nothing. An undefined rule is a no, as everywhere in Rego. */
function verdictOf(answer: unknown): { readonly allow: boolean; readonly reason: string } | null {
  if (answer === undefined) return { allow: false, reason: 'its policy has no answer for this request' };
  if (typeof answer === 'boolean') return { allow: answer, reason: '' };
  if (typeof answer !== 'object' || answer === null || !('allow' in answer)) return null;
  const { allow } = answer;
  const reason = 'reason' in answer && typeof answer.reason === 'string' ? answer.reason : '';
  return typeof allow === 'boolean' ? { allow, reason: plain(reason) } : null;
}

/** Somebody else's words, on one line. */
function plain(text: string): string {
  return text.replaceAll(/[^\P{C}]+/gu, ' ').slice(0, MAX_REASON);
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return plain(String(error));
  // The system's own messages name addresses, which are nobody's business but the operator's.
  const { code } = error as NodeJS.ErrnoException;
  return plain(code ?? error.message);
}

function mintJudgement(decision: Decision): Judgement {
  return decision as Judgement;
}

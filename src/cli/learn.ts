import { rmSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { errorCode } from '../model/error-code.ts';
import { parseDuration } from '../model/units.ts';
import { draftText } from '../policy/draft-text.ts';
import { Learner, MANY_NAMES, TooManyKinds, type Draft } from '../policy/learn.ts';
import { loadPolicy } from '../policy/load.ts';
import type { Policy } from '../policy/policy.ts';
import { formatProblem } from '../policy/problem.ts';
import { CommandError, EXIT } from './exit.ts';
import { relativePlaces } from './places.ts';
import { followOutcomes, outcomesOf } from './segments.ts';
import { configOf, withSettings } from './settings.ts';

interface LearnOptions {
  readonly agent?: string;
  readonly all?: true;
  readonly names?: number;
  readonly widenHosts?: true;
  readonly follow?: true;
  readonly for?: number;
  readonly out?: string;
}

const HELP = `
Examples:
  sallyport learn state/audit --agent support-bot --out rules/learned.yaml
  sallyport learn state/audit --follow --for 1h

Agents in observe or warn mode go on whatever the rules say; what they do is on record, and a draft is made of it. Paths become
patterns only where identifiers differed; hosts stay as they were; what may be a secret is written as *. With --follow the draft is
made when the time is over, or on Ctrl-C.

Exit codes: 0 a draft was made, 1 there is nothing to allow, 2 wrong usage or rules that do not load.`;

/** `sallyport learn AUDIT`: rules that would allow what observed agents did, for people to read and edit. */
export function addLearn(program: Command): void {
  withSettings(program.command('learn'), ['rules'])
    .description('draft rules that would allow what agents in observe mode did')
    .argument('<audit>', 'audit log: a segment, or a folder of them')
    .option('--agent <name>', 'draft for this agent alone')
    .option('--all', 'draft what the rules allow already, too')
    .option('--names <count>', 'paths that differ in one name become one rule, from this many on', parseCount)
    .option('--widen-hosts', 'hosts below the same name become a wildcard, where there are two')
    .option('--follow', 'go on reading what a running gate writes')
    .option('--for <time>', 'how long to follow, as 30m', parseTime)
    .option('--out <file>', 'write the draft here; it must not exist')
    .addHelpText('after', HELP)
    .action(async (audit: string, options: LearnOptions, command: Command) => {
      if (options.for !== undefined && options.follow === undefined)
        throw new CommandError('--for says how long to --follow');
      const policy = load(configOf(command).rules);
      const learner = await learn(resolve(audit), policy, options);
      const drafts = learner.drafts();
      if (drafts.length === 0) {
        process.stdout.write(`nothing to allow${reasonsOf(learner)}\n`);
        process.exitCode = EXIT.negative;
        return;
      }
      const text = draftText(drafts, { names: namesFor(drafts, policy), leftOut: learner.leftOut });
      requireLoads(text);
      deliver(text, drafts, options.out);
    });
}

async function learn(audit: string, policy: Policy, options: LearnOptions): Promise<Learner> {
  const { agent = null, all = false, names = null, widenHosts = false } = options;
  if (agent !== null && !policy.agents.has(agent)) process.stderr.write(`note: the rules know no agent "${agent}"\n`);
  const learner = new Learner(policy, { agent, all, names, widenHosts });
  const events = options.follow === true ? followOutcomes(audit, untilStopped(options.for)) : outcomesOf(audit);
  try {
    for await (const event of events) learner.add(event);
  } catch (error) {
    if (!(error instanceof TooManyKinds)) throw error;
    throw new CommandError(`${error.message} of request: name one agent with --agent, or read fewer segments`);
  }
  return learner;
}

/** Aborted by Ctrl-C, by SIGTERM, or when the time is over. */
function untilStopped(time: number | undefined): AbortSignal {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort());
  if (time !== undefined) setTimeout(() => stop.abort(), time).unref();
  process.stderr.write('reading what the gate writes; Ctrl-C ends that and makes the draft\n');
  return stop.signal;
}

/** `AGENT.learned`, or the next name that is free. */
function namesFor(drafts: readonly Draft[], { capabilities }: Policy): Map<string, string> {
  return new Map(
    drafts.map(({ agent }) => {
      const base = `${agent.slice(0, 85)}.learned`;
      let name = base;
      for (let next = 2; capabilities.has(name); next++) name = `${base}-${next}`;
      return [agent, name];
    }),
  );
}

/** A draft that does not load would be a mistake of ours: it is never handed out. */
function requireLoads(text: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-learn-'));
  try {
    writeFileSync(join(folder, 'draft.yaml'), text);
    const wrong = loadPolicy(folder).problems.filter(({ severity }) => severity !== 'note');
    if (wrong.length > 0)
      throw new Error(`the draft does not pass check --strict: ${wrong.map(formatProblem).join('\n')}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function deliver(text: string, drafts: readonly Draft[], out: string | undefined): void {
  const rules = drafts.reduce((sum, draft) => sum + draft.rules.length, 0);
  const requests = drafts.reduce((sum, draft) => sum + draft.use.count, 0);
  if (out === undefined) process.stdout.write(text);
  else {
    try {
      writeFileSync(out, text, { flag: 'wx' });
    } catch (error) {
      throw new CommandError(`--out: ${out} cannot be written: ${errorCode(error)}`);
    }
    process.stdout.write(`${out}: ${rules} rules from ${requests} requests\n`);
  }
  const spared = drafts.reduce((sum, draft) => sum + draft.spared, 0);
  if (spared > 0)
    process.stderr.write(
      `note: many paths differ in one name alone; --names ${MANY_NAMES} would spare ${spared} of ${rules} rules\n`,
    );
}

function reasonsOf({ leftOut }: Learner): string {
  const reasons = [...leftOut].sort(([, a], [, b]) => b - a).map(([why, count]) => `\n  ${count}: ${why}`);
  return reasons.length === 0
    ? ': the log holds no request of the kind'
    : `; requests that were left out:${reasons.join('')}`;
}

function load(root: string): Policy {
  const { policy, problems } = loadPolicy(root);
  if (policy !== null) return policy;
  throw new CommandError(
    `the rules do not load:\n${problems.map((problem) => formatProblem(relativePlaces(problem))).join('\n')}`,
  );
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text) || text === '1')
    throw new CommandError(`--names: "${text}" is not a number above 1`);
  return Number(text);
}

function parseTime(text: string): number {
  const time = parseDuration(text);
  if (time === null || time === 0) throw new CommandError(`--for: "${text}" is not a duration such as 30m`);
  return time;
}

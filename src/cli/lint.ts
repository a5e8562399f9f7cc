import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { errorCode } from '../model/error-code.ts';
import { lintPolicy, lintReach, lintUnused, type Finding } from '../policy/lint.ts';
import { loadPolicy } from '../policy/load.ts';
import type { Policy } from '../policy/policy.ts';
import { formatProblem } from '../policy/problem.ts';
import { CommandError, EXIT } from './exit.ts';
import { relativePlaces } from './places.ts';
import { outcomesOf } from './segments.ts';
import { configOf, withSettings } from './settings.ts';

interface LintOptions {
  readonly against?: string;
  readonly audit?: string;
  readonly unusedFor: number;
  readonly json?: string;
}

const DAY = 86_400_000;

/** `sallyport lint [rules]`: what is allowed and yet worth a second look. */
export function addLint(program: Command): void {
  withSettings(program.command('lint'), ['rules'])
    .description('print rules that are over-broad, shadowed or unused, and what a change lets agents do')
    .argument('[folder]', 'folder (or one file) of rules')
    .option('--against <rules>', 'print what agents may do that they may not under these rules')
    .option('--audit <log>', 'print rules that allowed nothing in this audit log (a segment or a folder)')
    .option('--unused-for <days>', 'how far back the log is looked at', parseDays, 30)
    .option('--json <file>', 'write a JSON report')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport lint rules/ --against main/rules\n  sallyport lint rules/ --audit state/audit --unused-for 90\n\nExit codes: 0 nothing found, 1 something, 2 wrong usage or rules that do not load.',
    )
    .action((folder: string | undefined, options: LintOptions, command: Command) => {
      const policy = load(folder === undefined ? configOf(command).rules : resolve(folder));
      const findings = lintPolicy(policy);
      if (options.against !== undefined) findings.push(...lintReach(load(resolve(options.against)), policy));
      if (options.audit !== undefined) findings.push(...unused(policy, options.audit, options.unusedFor));
      process.stdout.write(report(findings));
      if (options.json !== undefined) write(options.json, findings);
      process.exitCode = findings.length === 0 ? EXIT.ok : EXIT.negative;
    });
}

function parseDays(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new CommandError(`--unused-for: "${text}" is not a number of days`);
  return Number(text);
}

function load(root: string): Policy {
  const { policy, problems } = loadPolicy(root);
  if (policy !== null) return policy;
  const errors = problems.filter((problem) => problem.severity === 'error');
  throw new CommandError(
    `the rules in ${root} do not load:\n${errors.map((each) => formatProblem(relativePlaces(each))).join('\n')}`,
  );
}

/** Rules that allowed nothing lately; they are known by their text, for lines move. */
function unused(policy: Policy, audit: string, days: number): Finding[] {
  const since = new Date(Date.now() - days * DAY).toISOString();
  const used = new Set<string>();
  for (const { decision, rule, time } of outcomesOf(resolve(audit)))
    if (decision === 'allow' && rule !== undefined && time >= since) used.add(rule.replace(/^[^:]*:\d+: /, ''));
  return lintUnused(policy, used, since.slice(0, 10));
}

function report(findings: readonly Finding[]): string {
  const lines = findings.map(
    ({ kind, place, message }) => `${place.file}:${place.line}:${place.column}: ${kind}: ${message}\n`,
  );
  return `${lines.join('')}${findings.length === 0 ? 'nothing found' : `${findings.length} found`}\n`;
}

function write(file: string, findings: readonly Finding[]): void {
  const document = findings.map(({ kind, place, message }) => ({ kind, ...place, message }));
  try {
    writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
  } catch (error) {
    throw new CommandError(`--json: ${file} cannot be written: ${errorCode(error)}`);
  }
}

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadPolicy } from '../policy/load.ts';
import { formatProblem, type Problem } from '../policy/problem.ts';
import { EXIT } from './exit.ts';
import { relativePlaces } from './places.ts';
import { configOf, withSettings } from './settings.ts';

/** `sallyport check [rules]`: every problem with its place, or one line that says all is well. */
export function addCheck(program: Command): void {
  withSettings(program.command('check'), ['rules'])
    .description('check the rules and print every problem with its place and a hint')
    .argument('[folder]', 'folder (or one file) of rules')
    .option('--strict', 'treat warnings as errors')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport check rules/ --strict\n\nExit codes: 0 the rules load, 1 they do not, 2 wrong usage.',
    )
    .action((folder: string | undefined, options: { strict?: boolean }, command: Command) => {
      const { rules, audit } = configOf(command);
      const { policy, problems: found } = loadPolicy(folder === undefined ? rules : resolve(folder));
      const problems = [...found, ...unreadable(policy, audit.transcript.recipients)];
      const shown = problems.map((problem) => relativePlaces(problem));
      for (const problem of shown) process.stdout.write(`${formatProblem(problem)}\n\n`);
      const failed =
        policy === null || (options.strict === true && problems.some((problem) => problem.severity !== 'note'));
      process.stdout.write(`${summary(shown, policy)}\n`);
      process.exitCode = failed ? EXIT.negative : EXIT.ok;
    });
}

/** Rules may be right and still not be for the gate that is configured here. */
function unreadable(
  policy: ReturnType<typeof loadPolicy>['policy'],
  recipients: readonly string[],
): readonly Problem[] {
  const place = policy?.transcripts ?? null;
  if (place === null || recipients.length > 0) return [];
  const message = '"audit: transcript" loads where audit.transcript.recipients is set; it is not set here';
  const hint = '"sallyport audit identity" makes a key';
  return [{ severity: 'note', place, length: 1, message, hint, source: null }];
}

function summary(problems: readonly Problem[], policy: ReturnType<typeof loadPolicy>['policy']): string {
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  const warnings = problems.filter((problem) => problem.severity === 'warning').length;
  const found = [errors > 0 ? plural(errors, 'error') : '', warnings > 0 ? plural(warnings, 'warning') : '']
    .filter((part) => part !== '')
    .join(', ');
  if (policy === null) return found;
  const { agents, capabilities, rules } = policy.counts;
  const sizes = `${plural(agents, 'agent')}, ${plural(capabilities, 'capability')}, ${plural(rules, 'rule')}; generation ${policy.generation}`;
  return found === '' ? `ok: ${sizes}` : `${found}; ${sizes}`;
}

function plural(count: number, word: string): string {
  if (count === 1) return `1 ${word}`;
  return `${count} ${word.endsWith('y') ? `${word.slice(0, -1)}ies` : `${word}s`}`;
}

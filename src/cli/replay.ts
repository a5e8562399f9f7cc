import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { errorCode } from '../model/error-code.ts';
import { loadPolicy } from '../policy/load.ts';
import { formatProblem } from '../policy/problem.ts';
import { ReplayTally, replay, type Change } from '../policy/replay.ts';
import { CommandError, EXIT } from './exit.ts';
import { relativePlaces } from './places.ts';
import { outcomesOf } from './segments.ts';
import { configOf, withSettings } from './settings.ts';

/** `sallyport replay AUDIT`: what would change if recorded requests met these rules. */
export function addReplay(program: Command): void {
  withSettings(program.command('replay'), ['rules'])
    .description('decide recorded requests under other rules, and print what would change')
    .argument('<audit>', 'audit log: a segment, or a folder of them')
    .option('--json <file>', 'write a JSON report')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport replay state/audit --rules new-rules/\n\nValues of queries, headers and bodies are not on record, nor what a session held: where that counts, what rules would say is unknown.\n\nExit codes: 0 nothing would change, 1 something would, 2 wrong usage or rules that do not load.',
    )
    .action((audit: string, options: { json?: string }, command: Command) => {
      const { policy, problems } = loadPolicy(configOf(command).rules);
      if (policy === null)
        throw new CommandError(
          `the rules do not load:\n${problems.map((problem) => formatProblem(relativePlaces(problem))).join('\n')}`,
        );
      const tally = new ReplayTally();
      for (const event of outcomesOf(resolve(audit))) tally.add(event, replay(event, policy));
      process.stdout.write(report(tally));
      if (options.json !== undefined) write(options.json, tally);
      process.exitCode = tally.changes().length > 0 ? EXIT.negative : EXIT.ok;
    });
}

function report(tally: ReplayTally): string {
  const changes = tally.changes();
  const sums = `${tally.replayed} requests replayed, ${changes.reduce((sum, { count }) => sum + count, 0)} would change`;
  const unknown = tally.unknown === 0 ? '' : `; ${tally.unknown} unknown, for a rule reads what is not on record`;
  const skipped = tally.skipped === 0 ? '' : `; ${tally.skipped} that rules do not decide`;
  return `${changes.length === 0 ? '' : `${table(changes)}\n\n`}${sums}${unknown}${skipped}\n`;
}

function table(changes: readonly Change[]): string {
  const rows = [
    ['count', 'agent', 'before', 'after', 'capability', 'reason', 'for example'],
    ...changes.map(({ count, agent, before, after, capability, reason, example }) => [
      String(count),
      agent,
      before,
      after,
      capability,
      reason,
      example,
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 6 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function write(file: string, tally: ReplayTally): void {
  const { replayed, unknown, skipped } = tally;
  try {
    writeFileSync(file, `${JSON.stringify({ replayed, unknown, skipped, changes: tally.changes() }, null, 2)}\n`);
  } catch (error) {
    throw new CommandError(`--json: ${file} cannot be written: ${errorCode(error)}`);
  }
}

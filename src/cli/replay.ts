import { createReadStream, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import type { OutcomeEvent } from '../model/audit-event.ts';
import { errorCode } from '../model/error-code.ts';
import { loadPolicy } from '../policy/load.ts';
import type { Policy } from '../policy/policy.ts';
import { formatProblem } from '../policy/problem.ts';
import { ReplayTally, replay, type Change } from '../policy/replay.ts';
import { CommandError, EXIT } from './exit.ts';
import { relativePlaces } from './places.ts';
import { configOf, withSettings } from './settings.ts';

/** `sallyport replay AUDIT`: what would change if recorded requests met these rules. */
export function addReplay(program: Command): void {
  withSettings(program.command('replay'), ['rules'])
    .description('decide recorded requests under other rules, and print what would change')
    .argument('<audit>', 'audit log: a segment, or a folder of them')
    .option('--json <file>', 'write a JSON report')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport replay state/audit --rules new-rules/\n\nValues of queries, headers and bodies are not on record: where a rule reads them, what it would say is unknown.\n\nExit codes: 0 nothing would change, 1 something would, 2 wrong usage or rules that do not load.',
    )
    .action(async (audit: string, options: { json?: string }, command: Command) => {
      const { policy, problems } = loadPolicy(configOf(command).rules);
      if (policy === null)
        throw new CommandError(
          `the rules do not load:\n${problems.map((problem) => formatProblem(relativePlaces(problem))).join('\n')}`,
        );
      const tally = await replayAll(segmentsOf(resolve(audit)), policy);
      process.stdout.write(report(tally));
      if (options.json !== undefined) write(options.json, tally);
      process.exitCode = tally.changes().length > 0 ? EXIT.negative : EXIT.ok;
    });
}

/** The files of an audit log, oldest first: segments are named by their time. */
function segmentsOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => name.endsWith('.jsonl'));
    if (names.length === 0) throw new CommandError(`${path} holds no audit log (*.jsonl)`);
    return names.sort().map((name) => join(path, name));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${path} cannot be read: ${errorCode(error)}`);
  }
}

/** Line by line, so that a log of any length takes the memory of one line. */
async function replayAll(files: readonly string[], policy: Policy): Promise<ReplayTally> {
  const tally = new ReplayTally();
  const total = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const progress = new Progress(total);
  for (const file of files) {
    const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
    let number = 0;
    for await (const line of lines) {
      number++;
      progress.advance(line.length + 1);
      if (!line.includes('"kind":"outcome"')) continue;
      const event = eventOf(line, file, number);
      tally.add(event, replay(event, policy));
    }
  }
  progress.end();
  return tally;
}

function eventOf(line: string, file: string, number: number): OutcomeEvent {
  try {
    return JSON.parse(line) as OutcomeEvent;
  } catch {
    throw new CommandError(
      `${file}:${number}: not an audit event; "sallyport replay" reads segments as the gate writes them`,
    );
  }
}

/** A bar on a terminal; nothing elsewhere. */
class Progress {
  readonly #total: number;
  #done = 0;
  #shown = -1;

  constructor(total: number) {
    this.#total = total;
  }

  advance(bytes: number): void {
    this.#done += bytes;
    const percent = Math.min(100, Math.floor((this.#done / this.#total) * 100));
    if (!process.stderr.isTTY || percent === this.#shown) return;
    this.#shown = percent;
    process.stderr.write(`\r[${'#'.repeat(percent / 4).padEnd(25)}] ${percent} %`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
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

import { rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { knownKeys, openAuditKey } from '../audit/sinks/audit-keys.ts';
import { holdsOn, outlived, remove, tombstonesIn, writeHolds, type Hold } from '../audit/sinks/retention.ts';
import { timeOf } from '../audit/sinks/segment-file.ts';
import { outlivedDays } from '../audit/transcripts/sinks/object-files.ts';
import { verifyLane } from '../audit/verify-log.ts';
import { parseDuration } from '../model/units.ts';
import { auditFiles, piecesOf } from './audit-files.ts';
import { CommandError, EXIT } from './exit.ts';
import { configOf, withSettings } from './settings.ts';

const DAY = 86_400_000;

/** `sallyport audit prune` and `hold`: how long the record is kept. */
export function addRetention(audit: Command): void {
  withSettings(audit.command('prune'), ['state', 'audit.retention'])
    .description('remove segments that are older than they have to be kept, once they have been verified')
    .option('--older-than <duration>', 'instead of audit.retention, as 365d')
    .option('--dry-run', 'say what would be removed')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport audit prune --older-than 365d\n\nWhole segments go, oldest first, and the newest of a chain never. A signed tombstone stays in their place, and "sallyport audit verify" goes on from it. While a hold lies on the log nothing is removed. A running gate does this by itself where audit.retention is set.\n\nExit codes: 0 done, 1 a segment is not as it was written, or the log is held: nothing was removed there, 2 wrong usage.',
    )
    .action((options: { olderThan?: string; dryRun?: true }, command: Command) => prune(options, command));
  addHold(audit);
}

function prune(options: { olderThan?: string; dryRun?: true }, command: Command): void {
  const { state, audit } = configOf(command);
  const age = options.olderThan === undefined ? audit.retention : parseDuration(options.olderThan);
  if (age === null)
    throw new CommandError(
      options.olderThan === undefined
        ? 'everything is kept: say how long with --older-than or audit.retention'
        : `--older-than: "${options.olderThan}" is no duration: write 365d`,
    );
  const folder = join(state, 'audit');
  const holds = readHolds(folder);
  if (holds.length > 0)
    throw new CommandError(
      `the log is held by ${holds.map(({ name }) => name).join(', ')}: nothing is removed`,
      EXIT.negative,
    );
  const { lanes } = auditFiles(folder);
  const keys = join(state, 'keys');
  const now = Date.now();
  for (const [lane, names] of lanes) {
    const old = outlived(names, now - age);
    if (old.length === 0) continue;
    // One more, which has to continue them.
    const { segments } = verifyLane(
      names.slice(0, old.length + 1),
      (name) => piecesOf(join(folder, name)),
      knownKeys(keys),
      {
        depth: 'chain',
        tombstones: tombstonesIn(folder, lane),
      },
    );
    const wrong = segments.find(({ ok, break: broken }) => !ok || broken !== null);
    // The last one may be under way; what it continues is right all the same.
    if (wrong !== undefined && (wrong !== segments.at(-1) || wrong.break !== null))
      throw new CommandError(`${wrong.name}: ${wrong.break ?? wrong.problem ?? ''}: nothing is removed`, EXIT.negative);
    const going = segments.slice(0, old.length);
    const key = openAuditKey(keys);
    const reason = `older than ${age >= DAY ? `${Number((age / DAY).toFixed(1))}d` : `${age}ms`}`;
    if (options.dryRun !== true)
      remove(folder, going, { reason, time: new Date(now).toISOString(), signer: { ...key, key: key.text } });
    for (const { name, events } of going)
      process.stdout.write(`${options.dryRun === true ? 'would remove' : 'removed'} ${name}, ${events} events\n`);
  }
  pruneTranscripts(state, now - age, options.dryRun === true);
}

/** Transcripts go with the segments that speak of them. */
function pruneTranscripts(state: string, before: number, isDry: boolean): void {
  const { lanes } = auditFiles(join(state, 'audit'));
  const left = [...lanes.values()].flatMap((names) => {
    const old = isDry ? outlived(names, before).length : 0;
    return names.slice(old).map(timeOf);
  });
  const folder = join(state, 'transcripts');
  for (const day of outlivedDays(folder, Math.min(...left))) {
    if (!isDry) rmSync(join(folder, day), { recursive: true });
    process.stdout.write(`${isDry ? 'would remove' : 'removed'} the transcripts of ${day}\n`);
  }
}

function readHolds(folder: string): readonly Hold[] {
  try {
    return holdsOn(folder);
  } catch (error) {
    throw new CommandError((error as Error).message, EXIT.negative);
  }
}

function addHold(audit: Command): void {
  const hold = audit.command('hold').description('keep the whole log, whatever its age: a legal hold');
  const on = (name: string, description: string): Command =>
    withSettings(hold.command(name), ['state']).description(description);
  on('add', 'remove nothing until this hold is released')
    .argument('<name>', 'a name for it, such as the number of the case')
    .requiredOption('--reason <text>', 'why')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport audit hold add case-2026-17 --reason "preservation order of 3 March"',
    )
    .action((name: string, { reason }: { reason: string }, command: Command) => {
      const folder = join(configOf(command).state, 'audit');
      const holds = readHolds(folder);
      if (holds.some((each) => each.name === name)) throw new CommandError(`there is a hold "${name}"`);
      write(folder, [...holds, { name, reason, by: userInfo().username, since: new Date().toISOString() }]);
      process.stdout.write(`the log is held by ${name}: nothing is removed from now on\n`);
    });
  on('list', 'print the holds that lie on the log')
    .addHelpText('after', '\nExample:\n  sallyport audit hold list')
    .action((_options: object, command: Command) => {
      const holds = readHolds(join(configOf(command).state, 'audit'));
      const lines = holds.map(({ name, by, since, reason }) => `${name}  since ${since} by ${by}: ${reason}\n`);
      process.stdout.write(lines.length === 0 ? 'no hold lies on the log\n' : lines.join(''));
    });
  on('release', 'let go of a hold')
    .argument('<name>', 'its name')
    .addHelpText('after', '\nExample:\n  sallyport audit hold release case-2026-17')
    .action((name: string, _options: object, command: Command) => {
      const folder = join(configOf(command).state, 'audit');
      const holds = readHolds(folder);
      const left = holds.filter((each) => each.name !== name);
      if (left.length === holds.length)
        throw new CommandError(`there is no hold "${name}"; see "sallyport audit hold list"`);
      write(folder, left);
      process.stdout.write(`released ${name}\n`);
    });
}

function write(folder: string, holds: readonly Hold[]): void {
  try {
    writeHolds(folder, holds);
  } catch (error) {
    throw new CommandError(`the holds in ${folder} cannot be written: ${(error as Error).message}`);
  }
}

import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { timeOf } from '../audit/sinks/segment-file.ts';
import { tombstonesIn } from '../audit/sinks/retention.ts';
import { missing, verifyLane, type CheckedLane, type CheckedSegment } from '../audit/verify-log.ts';
import { auditFiles, collect, keptCheckpoints, piecesOf, timeFrom, trustedKeys } from './audit-files.ts';
import { EXIT } from './exit.ts';
import { shortPath } from './places.ts';
import { progress } from './progress.ts';
import { configOf, withSettings } from './settings.ts';

interface VerifyOptions {
  readonly since?: string;
  readonly key: readonly string[];
  readonly checkpoint?: string;
  readonly chain?: boolean;
  readonly json?: boolean;
}

/** `sallyport audit verify`: finds any change, deletion, reordering, truncation or fork of the log, and says where. */
export function addVerify(audit: Command): void {
  withSettings(audit.command('verify'), ['state'])
    .description('find any change, deletion, reordering, truncation or fork of the log, and say where')
    .argument('[log]', 'folder of the log, or a segment; that of the gate by default')
    .option(
      '--since <time>',
      'only segments that were written at or after this time (ISO 8601, or 15m for so long ago)',
    )
    .option('--key <key>', 'a public key that is trusted, or a file of them; may be given more than once', collect, [])
    .option('--checkpoint <file>', 'a checkpoint that was kept elsewhere: what was signed then must still be there')
    .option(
      '--chain',
      'hold checkpoints to the chain alone: as strict, and quicker; the trees that single events are proved by are not looked at',
    )
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  sallyport audit verify\n  sallyport audit verify evidence/ --key auditors/gate.pub --checkpoint auditors/last.checkpoint\n\nExit codes: 0 all is well, 1 something is wrong, 2 wrong usage.',
    )
    .action((log: string | undefined, options: VerifyOptions, command: Command) => {
      const { folder, lanes, isWhole } = auditFiles(log ?? join(configOf(command).state, 'audit'));
      const keys = trustedKeys(options.key, folder);
      const since = options.since === undefined ? null : timeFrom('--since', options.since);
      const bytes = [...lanes.values()].flat().reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
      let done = 0;
      const read = function* (name: string): Generator<Buffer> {
        for (const piece of piecesOf(join(folder, name))) {
          yield piece;
          progress((done += piece.length), bytes, name);
        }
      };
      const checked = [...lanes].map(([lane, names]) =>
        verifyLane(names, read, keys, {
          from: since === null ? (isWhole ? undefined : names[0]) : firstOf(names, since),
          tombstones: tombstonesIn(folder, lane),
          depth: options.chain === true ? 'chain' : 'trees',
        }),
      );
      progress(bytes, bytes, '');
      const gone = options.checkpoint === undefined ? [] : goneFrom(checked, keptCheckpoints(options.checkpoint, keys));
      process.stdout.write(options.json === true ? json(checked, gone) : report(shortPath(folder), checked, gone));
      process.exitCode =
        gone.length > 0 || checked.some(({ segments }) => segments.some(isWrong)) ? EXIT.negative : EXIT.ok;
    });
}

/** The segment that was being written at a time, or the first after it. */
function firstOf(names: readonly string[], since: number): string | undefined {
  return names.findLast((name) => timeOf(name) <= since) ?? names[0];
}

function goneFrom(checked: readonly CheckedLane[], kept: ReturnType<typeof keptCheckpoints>): string[] {
  const segments = checked.flatMap((lane) => lane.segments);
  return kept.flatMap((each) => missing(each, segments) ?? []);
}

function isWrong({ ok, break: broken }: CheckedSegment): boolean {
  return !ok || broken !== null;
}

function problemsOf({ problem, break: broken }: CheckedSegment): string[] {
  return [broken, problem].flatMap((each) => each ?? []);
}

function report(folder: string, checked: readonly CheckedLane[], gone: readonly string[]): string {
  const segments = checked.flatMap((lane) => lane.segments);
  const lines = segments.map((segment) => {
    const { name, events, checkpoints, closed, torn } = segment;
    const state = isWrong(segment) ? 'WRONG' : torn > 0 ? 'cut off' : closed ? 'closed' : 'open';
    const problems = problemsOf(segment).map((each) => `\n  ${name}: ${each}`);
    return `${name}  ${count(events, 'event')}, ${count(checkpoints.length, 'checkpoint')}, ${state}${problems.join('')}\n`;
  });
  const wrong = segments.flatMap(problemsOf).length + gone.length;
  const events = segments.reduce((sum, each) => sum + each.events, 0);
  const unsigned = checked.reduce((sum, each) => sum + each.unsigned, 0);
  const signed = unsigned === 0 ? 'all of them signed' : `all but the last ${unsigned} signed`;
  const removed = checked.reduce((sum, each) => sum + each.removed, 0);
  const gravestones =
    removed === 0 ? '' : ` ${count(removed, 'event')} before them were removed, as signed tombstones say.`;
  const verdict =
    wrong === 0
      ? `${folder} is as it was written: ${count(segments.length, 'segment')}, ${count(events, 'event')}, ${signed}.${gravestones}`
      : `${folder} is NOT as it was written: ${count(wrong, 'problem')}.`;
  return `${lines.join('')}${gone.map((each) => `  ${each}\n`).join('')}${verdict}\n`;
}

function count(number: number, what: string): string {
  return `${number.toLocaleString('en-US')} ${what}${number === 1 ? '' : 's'}`;
}

function json(checked: readonly CheckedLane[], gone: readonly string[]): string {
  const segments = checked.flatMap((lane) => lane.segments);
  const told = segments.map(({ name, events, checkpoints, closed, torn, header, ...rest }) => ({
    name,
    lane: header?.lane ?? null,
    origin: header?.origin ?? null,
    events,
    checkpoints: checkpoints.length,
    signed: checkpoints.at(-1)?.size ?? 0,
    closed,
    torn,
    problems: problemsOf({ name, events, checkpoints, closed, torn, header, ...rest }),
  }));
  const unsigned = checked.reduce((sum, each) => sum + each.unsigned, 0);
  return `${JSON.stringify({ ok: gone.length === 0 && !segments.some(isWrong), unsigned, missing: gone, segments: told }, null, 2)}\n`;
}

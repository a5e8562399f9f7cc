import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { tallyText } from '../policy/rollout.ts';
import type { PolicyStatus } from '../proxy/generation-status.ts';
import { askAdmin } from './admin.ts';
import { withSettings } from './settings.ts';

const SETTINGS = ['listen.admin', 'state'];

/** `sallyport policy`: which generation of rules is in force on a running gate, and which is to be. */
export function addPolicy(program: Command): void {
  const policy = program.command('policy').description('see and change which generation of rules is in force');
  withSettings(policy.command('status'), SETTINGS)
    .description('print the generations of rules: in force, tried out, taken back')
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExample:\n  sallyport policy status')
    .action(async (options: { json?: true }, command: Command) => {
      const status = (await askAdmin(command, 'GET', '/policy')) as PolicyStatus;
      process.stdout.write(options.json === true ? `${JSON.stringify(status, null, 2)}\n` : report(status));
    });
  const changes = [
    ['promote', 'put the rules that are tried out, or that were rolled back, in force for all sessions now'],
    ['rollback', 'take back the rules that are tried out; else go back to the generation before'],
  ] as const;
  for (const [name, description] of changes)
    withSettings(policy.command(name), SETTINGS)
      .description(description)
      .addHelpText('after', `\nExample:\n  sallyport policy ${name}\n\nWho did it is on record.`)
      .action(async (_options: object, command: Command) => {
        const status = await askAdmin(command, 'POST', `/policy/${name}`, { by: userInfo().username });
        process.stdout.write(report(status as PolicyStatus));
      });
}

function report({ inForce, canary, rejected, earlier }: PolicyStatus): string {
  const rows = [
    ['in force', inForce.generation, `since ${minute(inForce.since)}`, `refused ${tallyText(inForce)} requests`],
    ...(canary === null
      ? []
      : [
          [
            'canary',
            canary.generation,
            `until ${minute(canary.until)}`,
            `refused ${tallyText(canary)} requests, the rest meanwhile ${tallyText(canary.others)}; ${Math.round(canary.share * 1000) / 10} % of sessions`,
          ],
        ]),
    ...rejected.map(({ generation, time, by, reason }) => [
      'rolled back',
      generation,
      `at ${minute(time)}`,
      `by ${by}: ${reason}`,
    ]),
    ...earlier.map(({ generation, since }) => ['earlier', generation, `since ${minute(since)}`, '']),
  ];
  return rows.map(([what = '', ...rest]) => `${`${what.padEnd(12)}${rest.join('  ')}`.trimEnd()}\n`).join('');
}

/** To the minute, in UTC, as the audit log says it. */
function minute(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')}Z`;
}

import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { AdminError, askGate } from '../control/client.ts';
import { readToken } from '../control/token.ts';
import { tallyText } from '../policy/rollout.ts';
import type { PolicyStatus } from '../proxy/generations.ts';
import { CommandError } from './exit.ts';
import { configOf, withSettings } from './settings.ts';

const SETTINGS = ['listen.admin', 'state'];

/** `sallyport policy`: which generation of rules is in force on a running gate, and which is to be. */
export function addPolicy(program: Command): void {
  const policy = program.command('policy').description('see and change which generation of rules is in force');
  withSettings(policy.command('status'), SETTINGS)
    .description('print the generations of rules: in force, tried out, taken back')
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExample:\n  sallyport policy status')
    .action(async (options: { json?: true }, command: Command) => {
      const status = await ask(command, 'GET', '/policy');
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
        process.stdout.write(report(await ask(command, 'POST', `/policy/${name}`, { by: userInfo().username })));
      });
}

async function ask(command: Command, method: 'GET' | 'POST', path: string, body?: object): Promise<PolicyStatus> {
  const { listen, state } = configOf(command);
  const token = tokenIn(state);
  try {
    return (await askGate({ ...listen.admin, token }, method, path, body)) as PolicyStatus;
  } catch (error) {
    if (error instanceof AdminError) throw new CommandError(error.message);
    throw error;
  }
}

function tokenIn(state: string): string {
  try {
    return readToken(state);
  } catch (error) {
    throw new CommandError(`${(error as Error).message}; --state names the folder of the gate that is asked`);
  }
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

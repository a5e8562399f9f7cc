import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { Session, SessionUse } from '../model/session.ts';
import { askAdmin } from './admin.ts';
import { CommandError } from './exit.ts';
import { withSettings } from './settings.ts';

const SETTINGS = ['listen.admin', 'state'];

interface CreateOptions {
  readonly agent: string;
  readonly ttl?: string;
  readonly capabilities?: string;
  readonly label?: string[];
  readonly limit?: string[];
  readonly json?: true;
}

/** `sallyport session`: tokens for one task of an agent, that hold a part of what it may do and end by themselves. */
export function addSession(program: Command): void {
  const session = program.command('session').description('make, list and end sessions: an agent’s tasks');
  withSettings(session.command('create'), SETTINGS)
    .description('make a session and print its token, once')
    .requiredOption('--agent <name>', 'the agent whose task it is')
    .option('--ttl <time>', 'how long it lasts, as 5m; otherwise as long as the rules let it, or an hour')
    .option(
      '--capabilities <names>',
      'what it holds of its agent’s capabilities, as a,b; otherwise all that the agent may',
    )
    .option('--label <name=text>', 'for the record; may be repeated', (text: string, before: string[] | undefined) => [
      ...(before ?? []),
      text,
    ])
    .option(
      '--limit <kind=limit>',
      'what it may use up beside what its agent may, as requests=100/session or download=1 GiB/hour; may be repeated',
      (text: string, before: string[] | undefined) => [...(before ?? []), text],
    )
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport session create --agent support-bot --ttl 5m --capabilities zendesk.read --label task=123\n\nThe token takes the place of the agent’s own: http://support-bot:TOKEN@gate:8899.',
    )
    .action(create);
  withSettings(session.command('list'), SETTINGS)
    .description('print the sessions that have not ended')
    .addHelpText('after', '\nExample:\n  sallyport session list')
    .action(async (_options: object, command: Command) => {
      const sessions = (await askAdmin(command, 'GET', '/sessions')) as Array<Session & SessionUse>;
      process.stdout.write(
        sessions.length === 0 ? 'no session\n' : sessions.map((each) => `${line(each)}  ${useLine(each)}\n`).join(''),
      );
    });
  withSettings(session.command('revoke'), SETTINGS)
    .description('end a session now, on every gate')
    .argument('<id>', 'its id')
    .requiredOption('--reason <text>', 'why; it is on record')
    .addHelpText('after', '\nExample:\n  sallyport session revoke 3f2a9c1d0b7e4a55 --reason "task cancelled"')
    .action(async (id: string, { reason }: { reason: string }, command: Command) => {
      await askAdmin(command, 'POST', '/kill', { kind: 'session', name: id, reason, by: userInfo().username });
      process.stdout.write(`revoked session ${id}\n`);
    });
  addKeys(session.command('keys').description('change the keys that sign sessions'));
}

function addKeys(keys: Command): void {
  const changes = [
    ['rotate', 'sign with a new key; sessions that were made before stay', 'signing with a new key'],
    ['revoke-all', 'end every session there is', 'every session has ended'],
  ] as const;
  for (const [name, description, done] of changes)
    withSettings(keys.command(name), SETTINGS)
      .description(description)
      .addHelpText('after', `\nExample:\n  sallyport session keys ${name}`)
      .action(async (_options: object, command: Command) => {
        await askAdmin(command, 'POST', `/sessions/keys/${name}`, { by: userInfo().username });
        process.stdout.write(`${done}\n`);
      });
}

async function create(options: CreateOptions, command: Command): Promise<void> {
  const { agent, ttl, capabilities, label = [], limit = [] } = options;
  const labels = Object.fromEntries(label.map((text) => parsePair('--label', 'name=text', text)));
  const limits = Object.fromEntries(limit.map((text) => parsePair('--limit', 'kind=limit', text)));
  const names = capabilities?.split(',').map((name) => name.trim());
  const body = {
    agent,
    ...(ttl === undefined ? {} : { ttl }),
    ...(names === undefined ? {} : { capabilities: names }),
    labels,
    limits,
  };
  const made = (await askAdmin(command, 'POST', '/sessions', { ...body, by: userInfo().username })) as {
    session: Session;
    token: string;
  };
  if (options.json === true) process.stdout.write(`${JSON.stringify(made, null, 2)}\n`);
  else {
    process.stderr.write(`session ${line(made.session)}\n`);
    process.stdout.write(`${made.token}\n`);
  }
}

function parsePair(flag: string, form: string, text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new CommandError(`${flag} "${text}" is not ${form}`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function line({ id, agent, capabilities, labels, limits, expires }: Session): string {
  const until = new Date(expires).toISOString();
  const holds = capabilities === null ? 'all it may' : capabilities.join(',');
  const told = Object.entries(labels).map(([name, text]) => ` ${name}=${text}`);
  const bounds = Object.entries(limits).map(([kind, text]) => ` ${kind}:${text}`);
  return `${id}  ${agent}  until ${until}  ${holds}${bounds.join('')}${told.join('')}`;
}

/** What it has used. */
function useLine({ requests, denied, received, sent }: SessionUse): string {
  return `${requests} requests (${denied} denied), ${sent} bytes sent, ${received} received`;
}

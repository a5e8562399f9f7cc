import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { HALT_KINDS, haltScope, type Halt } from '../model/halt.ts';
import { askAdmin } from './admin.ts';
import { CommandError, EXIT } from './exit.ts';
import { withSettings } from './settings.ts';

const SETTINGS = ['listen.admin', 'state'];
const WHAT = `one of ${HALT_KINDS.join(', ')}`;

/** `sallyport kill`, `revive` and `halts`: stops an agent, a capability, a tenant or everything, everywhere and at once. */
export function addKill(program: Command): void {
  withSettings(program.command('kill'), SETTINGS)
    .description('stop an agent, a capability, a tenant or everything: what is under way is cut, on every gate')
    .argument('<what>', WHAT)
    .argument('[name]', 'its name')
    .requiredOption('--reason <text>', 'why; it is on record, and agents are told')
    .addHelpText(
      'after',
      '\nExamples:\n  sallyport kill agent support-bot --reason "mails strangers"\n  sallyport kill all --reason "incident 42"\n\nIt holds over restarts, until `sallyport revive`. Gates that share a store are told at once. A file called HALT in\nthe state folder, or SIGUSR1, stops everything as well.',
    )
    .action(async (what: string, name: string | undefined, options: { reason: string }, command: Command) => {
      const halts = await ask(command, '/kill', what, name, options.reason);
      process.stdout.write(`halted ${haltScope(scopeOf(what, name))}\n${list(halts)}`);
    });
  withSettings(program.command('revive'), SETTINGS)
    .description('let something go on that was stopped')
    .argument('<what>', WHAT)
    .argument('[name]', 'its name')
    .requiredOption('--reason <text>', 'why; it is on record')
    .addHelpText('after', '\nExample:\n  sallyport revive agent support-bot --reason "fixed in 1.4"')
    .action(async (what: string, name: string | undefined, options: { reason: string }, command: Command) => {
      const halts = await ask(command, '/revive', what, name, options.reason);
      process.stdout.write(`revived ${haltScope(scopeOf(what, name))}\n${list(halts)}`);
    });
  withSettings(program.command('halts'), SETTINGS)
    .description('print what is halted')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport halts\n\nExit codes: 0 nothing is halted, 1 something is, 2 wrong usage.',
    )
    .action(async (_options: object, command: Command) => {
      const halts = (await askAdmin(command, 'GET', '/halts')) as Halt[];
      process.stdout.write(halts.length === 0 ? 'nothing is halted\n' : list(halts));
      process.exitCode = halts.length === 0 ? EXIT.ok : EXIT.negative;
    });
}

function scopeOf(what: string, name: string | undefined): Pick<Halt, 'kind' | 'name'> {
  const kind = HALT_KINDS.find((each) => each === what);
  if (kind === undefined) throw new CommandError(`"${what}" cannot be stopped: write ${WHAT}`);
  if (kind === 'all' && name !== undefined) throw new CommandError('all is everything: it takes no name');
  if (kind !== 'all' && name === undefined) throw new CommandError(`which ${kind}? write its name`);
  return { kind, name: name ?? '' };
}

async function ask(
  command: Command,
  path: string,
  what: string,
  name: string | undefined,
  reason: string,
): Promise<Halt[]> {
  const body = { ...scopeOf(what, name), reason, by: userInfo().username };
  return (await askAdmin(command, 'POST', path, body)) as Halt[];
}

function list(halts: readonly Halt[]): string {
  return halts
    .map((each) => `${haltScope(each)}  ${stateOf(each)}since ${each.time} by ${each.by}: ${each.reason}\n`)
    .join('');
}

/** What the gate did by itself, and until when; nothing for what people did. */
function stateOf({ quarantine, until }: Halt): string {
  if (quarantine === undefined) return '';
  return `${quarantine === 'halt' ? 'quarantined' : 'enforced'} until ${until ?? 'revived'} `;
}

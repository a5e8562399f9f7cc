import { Command } from 'commander';
import { VERSION } from '../version.ts';

/** Commands that come from one file. */
interface Group {
  readonly names: readonly string[];
  /** Adds them to a program. */
  readonly load: () => Promise<(program: Command) => void>;
}

/** In the order of the help. Loading all of them takes three times as long as most commands take to do their work. */
const GROUPS: readonly Group[] = [
  { names: ['start'], load: async () => (await import('./start.ts')).addStart },
  { names: ['check'], load: async () => (await import('./check.ts')).addCheck },
  { names: ['test'], load: async () => (await import('./test.ts')).addTest },
  { names: ['learn'], load: async () => (await import('./learn.ts')).addLearn },
  { names: ['lint'], load: async () => (await import('./lint.ts')).addLint },
  { names: ['replay'], load: async () => (await import('./replay.ts')).addReplay },
  { names: ['audit'], load: async () => (await import('./audit.ts')).addAudit },
  { names: ['policy'], load: async () => (await import('./policy.ts')).addPolicy },
  { names: ['kill', 'revive', 'halts'], load: async () => (await import('./kill.ts')).addKill },
  { names: ['session'], load: async () => (await import('./session.ts')).addSession },
  { names: ['explain'], load: async () => (await import('./explain.ts')).addExplain },
  { names: ['run'], load: async () => (await import('./run.ts')).addRun },
  { names: ['agent'], load: async () => (await import('./agent.ts')).addAgent },
  { names: ['ca'], load: async () => (await import('./ca.ts')).addCa },
  { names: ['pack'], load: async () => (await import('./pack.ts')).addPack },
  { names: ['schema'], load: async () => (await import('./schema.ts')).addSchema },
  { names: ['tools'], load: async () => (await import('./tools.ts')).addTools },
  { names: ['scan'], load: async () => (await import('./scan.ts')).addScan },
  { names: ['secrets'], load: async () => (await import('./secrets.ts')).addSecrets },
  { names: ['canary'], load: async () => (await import('./secrets.ts')).addCanary },
  { names: ['documents'], load: async () => (await import('./documents.ts')).addDocuments },
];

/** What is asked of the program itself. */
const NEED_NOTHING: ReadonlySet<string | null> = new Set(['version', '--version', '-V']);

/** The command line, not yet told what to do: with the commands of one name where there are any, else with all of them. */
export async function makeProgram(name: string | null = null): Promise<Command> {
  const program = new Command('sallyport')
    .description('The egress firewall for AI agents.')
    .version(VERSION, '-V, --version')
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText(
      'after',
      '\nExample:\n  sallyport start\n\nExit codes: 0 fine, 1 a negative answer (rules with errors, a denied request), 2 wrong usage or configuration, 70 a fault of ours.',
    );
  program
    .command('version')
    .description('print the version')
    .addHelpText('after', '\nExample:\n  sallyport version')
    .action(() => void process.stdout.write(`${VERSION}\n`));
  const wanted = GROUPS.filter(({ names }) => name !== null && names.includes(name));
  const needed = wanted.length > 0 ? wanted : NEED_NOTHING.has(name) ? [] : GROUPS;
  for (const { load } of needed) (await load())(program);
  inheritExit(program);
  return program;
}

/** Commands report their usage errors by throwing, as the program does. */
function inheritExit(command: Command): void {
  for (const each of command.commands) {
    each.exitOverride();
    inheritExit(each);
  }
}

import { Command } from 'commander';
import { VERSION } from '../version.ts';
import { addAgent } from './agent.ts';
import { addAudit } from './audit.ts';
import { addCa } from './ca.ts';
import { addCheck } from './check.ts';
import { addExplain } from './explain.ts';
import { addKill } from './kill.ts';
import { addLearn } from './learn.ts';
import { addLint } from './lint.ts';
import { addPack } from './pack.ts';
import { addPolicy } from './policy.ts';
import { addReplay } from './replay.ts';
import { addRun } from './run.ts';
import { addSchema } from './schema.ts';
import { addScan } from './scan.ts';
import { addDocuments } from './documents.ts';
import { addCanary, addSecrets } from './secrets.ts';
import { addSession } from './session.ts';
import { addStart } from './start.ts';
import { addTest } from './test.ts';
import { addTools } from './tools.ts';

/** The whole command line, not yet told what to do. */
export function makeProgram(): Command {
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
  for (const add of [
    addStart,
    addCheck,
    addTest,
    addLearn,
    addLint,
    addReplay,
    addAudit,
    addPolicy,
    addKill,
    addSession,
    addExplain,
    addRun,
    addAgent,
    addCa,
    addPack,
    addSchema,
    addTools,
    addScan,
    addSecrets,
    addCanary,
    addDocuments,
  ])
    add(program);
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

#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/config.ts';
import { AuthorityError } from '../tls/authority.ts';
import { VERSION } from '../version.ts';
import { addAgent } from './agent.ts';
import { addAudit } from './audit.ts';
import { addCa } from './ca.ts';
import { addCheck } from './check.ts';
import { CommandError, EXIT } from './exit.ts';
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
import { dotsToDashes } from './settings.ts';

/** The `sallyport` command. Mistakes of the caller end in one line and a code, never in a stack trace. */
async function main(words: readonly string[]): Promise<void> {
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
  const split = words.indexOf('--');
  const own = split === -1 ? words : words.slice(0, split);
  await program.parseAsync([...own.map(dotsToDashes), ...(split === -1 ? [] : words.slice(split))], { from: 'user' });
}

/** Commands report their usage errors by throwing, as the program does. */
function inheritExit(command: Command): void {
  for (const each of command.commands) {
    each.exitOverride();
    inheritExit(each);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return;
  }
  const expected = error instanceof CommandError || error instanceof ConfigError || error instanceof AuthorityError;
  const message = expected
    ? (error as Error).message
    : `a fault, please report it: ${error instanceof Error ? error.message : String(error)}`;
  process.stderr.write(`sallyport: ${message}\n`);
  process.exitCode = error instanceof CommandError ? error.code : expected ? EXIT.usage : EXIT.fault;
});

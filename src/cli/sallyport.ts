#!/usr/bin/env node
import { CommanderError } from 'commander';
import { CommandError, EXIT } from './exit.ts';
import { makeProgram } from './program.ts';
import { dotsToDashes } from './settings.ts';

/** The `sallyport` command. Mistakes of the caller end in one line and a code, never in a stack trace. */
async function main(words: readonly string[]): Promise<void> {
  const split = words.indexOf('--');
  const own = split === -1 ? words : words.slice(0, split);
  const program = await makeProgram(own[0] ?? null);
  await program.parseAsync([...own.map(dotsToDashes), ...(split === -1 ? [] : words.slice(split))], { from: 'user' });
}

/** Mistakes of the caller, by name: to load what throws them takes longer than most commands. */
const EXPECTED: ReadonlySet<string> = new Set(['CommandError', 'ConfigError', 'AuthorityError']);
/** Commands that go on when nobody reads any more what they print. */
const GO_ON: ReadonlySet<string> = new Set(['start', 'run']);

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  // `… | head` has seen enough.
  if (!GO_ON.has(process.argv[2] ?? '')) process.exit();
});

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return;
  }
  const expected = error instanceof Error && EXPECTED.has(error.name);
  const message = expected
    ? (error as Error).message
    : `a fault, please report it: ${error instanceof Error ? error.message : String(error)}`;
  process.stderr.write(`sallyport: ${message}\n`);
  process.exitCode = error instanceof CommandError ? error.code : expected ? EXIT.usage : EXIT.fault;
});

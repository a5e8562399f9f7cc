import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { errorCode } from '../model/error-code.ts';
import { CommandError } from './exit.ts';

/** `sallyport audit identity`: a key pair for transcripts. */
export function addIdentity(audit: Command): void {
  audit
    .command('identity')
    .description('make a key that reads transcripts, and print what the gate is told of it')
    .requiredOption('--out <file>', 'where the identity goes; it must not be there yet')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport audit identity --out auditor.key\n  sallyport start --audit-transcript-recipient age1…\n\nDo this where the gate is not: it needs the recipient alone. The file is one of age (https://age-encryption.org): age and age-keygen read it, and make others.',
    )
    .action(async ({ out }: { out: string }) => {
      const { makeIdentity } = await import('../audit/transcripts/sealed.ts');
      const { identity, recipient } = await makeIdentity();
      try {
        writeFileSync(out, `# recipient: ${recipient}\n${identity}\n`, { mode: 0o600, flag: 'wx' });
      } catch (error) {
        throw new CommandError(`${out} cannot be written: ${errorCode(error)}`);
      }
      process.stdout.write(`${recipient}\n`);
    });
}

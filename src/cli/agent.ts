import { createHash, randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { CommandError } from './exit.ts';

/** `sallyport agent token NAME`: a token, shown once, and the line that belongs in the rules. */
export function addAgent(program: Command): void {
  const agent = program.command('agent').description('manage agents');
  agent
    .command('token')
    .description('make a token for an agent; it is shown once and kept nowhere')
    .argument('<name>', 'name of the agent in the rules')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  sallyport agent token support-bot')
    .action((name: string, options: { json?: boolean }) => {
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name))
        throw new CommandError(`"${name}" is not an agent name: letters, digits, dots, dashes and underscores`);
      const token = randomBytes(32).toString('base64url');
      const hash = `sha256:${createHash('sha256').update(token, 'utf8').digest('hex')}`;
      process.stdout.write(
        options.json === true ? `${JSON.stringify({ agent: name, token, hash })}\n` : describe(name, token, hash),
      );
    });
}

function describe(name: string, token: string, hash: string): string {
  return `Token of ${name}, shown this once:

  ${token}

In the rules, its hash:

agents:
  ${name}:
    identity:
      token: ${hash}

The agent uses it as the proxy password:

  export HTTPS_PROXY=http://${name}:${token}@127.0.0.1:8899
`;
}

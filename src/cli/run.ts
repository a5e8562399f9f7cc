import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Command } from 'commander';
import { parseAuthority } from '../model/target.ts';
import { loadPolicy } from '../policy/load.ts';
import { didYouMean } from '../policy/suggest.ts';
import { caFiles, loadAuthority } from '../tls/authority.ts';
import type { Config } from '../config/config.ts';
import { agentEnvironment, writeTrust } from './environment.ts';
import { CommandError } from './exit.ts';
import { configOf, withSettings } from './settings.ts';
import { errorCode } from '../model/error-code.ts';

interface RunOptions {
  readonly agent: string;
  readonly proxy?: string;
  readonly tokenFile?: string;
  readonly quiet?: boolean;
}

/** `sallyport run --agent A -- COMMAND`: the command with proxy and trust variables set. */
export function addRun(program: Command): void {
  withSettings(program.command('run'), ['rules', 'certs', 'listen.proxy'])
    .description('run a command with its proxy and trust variables set to the gate (this does not isolate it)')
    .requiredOption('--agent <name>', 'the agent the command is')
    .option('--proxy <host:port>', 'address of the running gate (default: listen.proxy)')
    .option('--token-file <file>', "file that holds the agent's token (or SALLYPORT_TOKEN)")
    .option('--quiet', 'do not say that the command is not isolated')
    .argument('<command...>', 'command and its arguments, after --')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport run --agent example -- curl https://example.com/\n\nExit code: that of the command.',
    )
    .action(async (words: string[], options: RunOptions, command: Command) => {
      const config = configOf(command);
      const token = tokenOf(options, config);
      const proxy = options.proxy ?? `${config.listen.proxy.host}:${config.listen.proxy.port}`;
      if (parseAuthority(proxy)?.port == null) throw new CommandError(`--proxy "${proxy}" is not host:port`);
      loadAuthority(config.certs, new Date());
      const caFile = caFiles(config.certs).certificate;
      const credentials = token === null ? '' : `${encodeURIComponent(options.agent)}:${encodeURIComponent(token)}@`;
      const way = { proxyUrl: `http://${credentials}${proxy}`, caFile, ...writeTrust(config.certs, caFile) };
      if (options.quiet !== true)
        process.stderr.write(
          'sallyport run: proxy and trust variables are set; the command is NOT isolated and can go around the gate\n',
        );
      process.exitCode = await runChild(words, agentEnvironment(way));
    });
}

/** The agent's token; null when the rules know the agent by its source network, so that none is needed. */
function tokenOf(options: RunOptions, config: Config): string | null {
  const { policy } = loadPolicy(config.rules);
  if (policy === null) throw new CommandError('the rules do not load; see "sallyport check"');
  const agent = policy.agents.get(options.agent);
  if (agent === undefined)
    throw new CommandError(
      `no agent "${options.agent}" in the rules; ${didYouMean(options.agent, [...policy.agents.keys()])}`,
    );
  const given = options.tokenFile === undefined ? process.env['SALLYPORT_TOKEN'] : readToken(options.tokenFile);
  if (given !== undefined && given !== '') return given;
  if (agent.sourceNetworks.length > 0) return null;
  throw new CommandError(`agent "${options.agent}" is known by its token: give --token-file or SALLYPORT_TOKEN`);
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${errorCode(error)}`);
  }
}

async function runChild(words: readonly string[], variables: Record<string, string>): Promise<number> {
  const [name = '', ...rest] = words;
  const { SALLYPORT_TOKEN: _token, ...inherited } = process.env;
  const child = spawn(name, rest, { stdio: 'inherit', env: { ...inherited, ...variables } });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, forward);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', (error) =>
        reject(
          new CommandError(`${name} cannot be run: ${(error as NodeJS.ErrnoException).code ?? error.message}`, 127),
        ),
      );
      child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    for (const signal of signals) process.off(signal, forward);
  }
}

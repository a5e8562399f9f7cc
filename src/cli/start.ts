import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { startGate, type Gate } from '../main.ts';
import { listFiles } from '../policy/source.ts';
import { formatProblem } from '../policy/problem.ts';
import { startPrimary } from '../primary.ts';
import { openLog, type Log } from '../telemetry/log.ts';
import { VERSION } from '../version.ts';
import type { Config } from '../config/config.ts';
import { writeTrust } from './environment.ts';
import { CommandError, EXIT } from './exit.ts';
import { relativePlaces } from './places.ts';
import { configOf, withSettings } from './settings.ts';
import { welcome } from './welcome.ts';
import { errorCode } from '../model/error-code.ts';

/** How often the rule files are looked at. Polling sees what watches miss: replaced links, network folders, containers. */
const WATCH = 1000;

/** `sallyport start`: the gate in the foreground until a signal ends it. */
export function addStart(program: Command): void {
  withSettings(program.command('start'), 'all')
    .description('start the gate')
    .option('--ready-file <path>', 'write {"proxy","admin","ca","pid"} here once the gate serves')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport start --rules rules/ --listen-proxy 127.0.0.1:8899\n\nSignals: SIGHUP loads rules and CA again; SIGUSR1 halts everything; SIGTERM and SIGINT drain, a second one ends at once.\nExit codes: 0 stopped, 2 wrong configuration, 70 a fault.',
    )
    .action(async (options: { readyFile?: string }, command: Command) => {
      const config = configOf(command);
      const log = openLog(config.log.level, config.log.format);
      // What is on disk before the rules are loaded: a change made meanwhile is one to take up.
      const loaded = fingerprint(config);
      const gate = config.workers === 1 ? await startGate(config, log) : await startPrimary(config, log);
      // Signals first: whoever waits for the ready file may send one the moment it is there.
      const stopped = untilStopped(gate, log);
      const { bundleFile } = writeTrust(config.certs, gate.caFile);
      if (options.readyFile !== undefined) writeReadyFile(options.readyFile, gate);
      const { generation, counts } = gate.snapshot().policy;
      log.info(
        {
          proxy: gate.proxy,
          admin: gate.admin,
          entries: gate.entries,
          ca: gate.caFile,
          generation,
          ...counts,
          workers: config.workers,
          version: VERSION,
        },
        'the gate serves',
      );
      if (log.isLevelEnabled('info')) process.stderr.write(welcome(gate, config, bundleFile));
      const stopWatching = watchRules(config, loaded, () => reload(gate, log));
      await stopped;
      stopWatching();
      gate.close();
      if (options.readyFile !== undefined) rmSync(options.readyFile, { force: true });
      log.info('the gate has stopped');
    });
}

function reload(gate: Gate, log: Log): void {
  const problems = gate.reload();
  for (const problem of problems) log.error(formatProblem(relativePlaces(problem)));
  if (problems.length > 0)
    log.error(
      { generation: gate.snapshot().policy.generation },
      'the new rules do not load: the old policy stays in force',
    );
  else log.info({ generation: gate.snapshot().policy.generation, ...gate.snapshot().policy.counts }, 'rules loaded');
}

function reloadAuthority(gate: Gate, log: Log): void {
  try {
    gate.reloadAuthority();
  } catch (error) {
    log.error(`the CA cannot be loaded: ${(error as Error).message}: the old one stays in force`);
  }
}

/** Drains on the first signal; the second ends the process at once. */
async function untilStopped(gate: Gate, log: Log): Promise<void> {
  process.on('SIGHUP', () => {
    reload(gate, log);
    reloadAuthority(gate, log);
  });
  process.on('SIGUSR1', () => void gate.killAll('SIGUSR1 was sent', 'signal'));
  await new Promise<void>((resolve) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) {
        gate.close();
        process.exit(128 + (signal === 'SIGINT' ? 2 : 15));
      }
      stopping = true;
      log.info({ signal }, 'draining; a second signal ends the gate at once');
      gate.drain().then(resolve, resolve);
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
  });
}

/** Calls back when a rule file, or one of an external policy, was added, changed or removed. */
function watchRules(config: Config, loaded: string, changed: () => void): () => void {
  let before = loaded;
  const timer = setInterval(() => {
    const after = fingerprint(config);
    if (after === before) return;
    before = after;
    changed();
  }, WATCH);
  return () => clearInterval(timer);
}

function fingerprint({ rules, policy }: Config): string {
  const others = [policy.wasm?.file, policy.wasm?.data, policy.opa?.tokenFile].filter((file) => file != null);
  return [...listFiles(rules, []), ...others]
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return `${file}:${stat?.mtimeMs ?? ''}:${stat?.size ?? ''}:${stat?.ino ?? ''}`;
    })
    .join('\n');
}

/** Written beside and renamed: whoever waits for the file reads all of it. */
function writeReadyFile(path: string, gate: Gate): void {
  const text = `${JSON.stringify({ proxy: gate.proxy, admin: gate.admin, entries: gate.entries, ca: gate.caFile, pid: process.pid })}\n`;
  try {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  } catch (error) {
    gate.close();
    throw new CommandError(`--ready-file: ${path} cannot be written: ${errorCode(error)}`, EXIT.usage);
  }
}

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import type { Log } from '../telemetry/log.ts';

/** The command line; where it is once the gate is compiled. */
const CLI = fileURLToPath(new URL('../cli/sallyport.js', import.meta.url));
const DAY = 86_400_000;

/** Has old segments of the audit log removed, at the start and once a day, by a process of its own: they are verified first, and that takes time. */
export class Retention {
  readonly #state: string;
  readonly #age: number | null;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout | null = null;
  #child: ChildProcess | null = null;

  constructor({ state, audit }: Pick<Config, 'state' | 'audit'>, log: Log) {
    this.#state = state;
    this.#age = audit.retention;
    this.#log = log;
    if (this.#age === null || !existsSync(CLI)) return;
    this.#timer = setInterval(() => this.#prune(), DAY).unref();
    this.#prune();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#child?.kill();
  }

  #prune(): void {
    if (this.#child !== null) return;
    const words = ['audit', 'prune', `--older-than=${String(this.#age)}ms`, `--state=${this.#state}`];
    const child = spawn(process.execPath, [CLI, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => (said += bytes.toString('utf8')));
    child.on('error', (error) => this.#log.error({ err: error }, 'old segments of the audit log cannot be removed'));
    child.on('close', (code) => {
      this.#child = null;
      if (code === 0 && said !== '') this.#log.info({ said }, 'old segments of the audit log were removed');
      else if (code !== 0 && code !== null) this.#log.error({ said }, 'old segments of the audit log were not removed');
    });
  }
}

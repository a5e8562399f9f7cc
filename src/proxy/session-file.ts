import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../model/error-code.ts';
import type { Session } from '../model/session.ts';
import type { Log } from '../telemetry/log.ts';

const session = z.object({
  id: z.string(),
  agent: z.string(),
  capabilities: z.array(z.string()).nullable(),
  labels: z.record(z.string(), z.string()),
  limits: z.record(z.string(), z.string()),
  issued: z.number(),
  expires: z.number(),
});

/** The sessions that were made here, a line each, so that a restart does not forget whom it has let in. Tokens do not stand there. */
export class SessionFile {
  readonly #path: string;
  readonly #log: Log;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  /** Those that have not ended; the others are dropped from the file. It is a list for people: what cannot be read is left out. */
  read(now: number): Session[] {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') this.#log.error({ err: error }, 'the sessions of before cannot be listed');
      return [];
    }
    const sessions = text
      .split('\n')
      .flatMap(parsed)
      .filter(({ expires }) => expires > now);
    this.#try(() => {
      writeFileSync(`${this.#path}.new`, sessions.map((each) => `${JSON.stringify(each)}\n`).join(''), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    });
    return sessions;
  }

  add(made: Session): void {
    this.#try(() => {
      mkdirSync(dirname(this.#path), { recursive: true });
      appendFileSync(this.#path, `${JSON.stringify(made)}\n`, { mode: 0o600 });
    });
  }

  #try(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#log.error({ err: error }, 'sessions cannot be written down: a restart would forget to list them');
    }
  }
}

function parsed(line: string): Session[] {
  try {
    return [session.parse(JSON.parse(line)) as Session];
  } catch {
    return [];
  }
}

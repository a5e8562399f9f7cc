import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { OutcomeEvent } from '../model/audit-event.ts';
import { errorCode } from '../model/error-code.ts';
import { CommandError } from './exit.ts';

/** The files of an audit log, oldest first: segments are named by their time. */
function segmentsOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => name.endsWith('.jsonl'));
    if (names.length === 0) throw new CommandError(`${path} holds no audit log (*.jsonl)`);
    return names.sort().map((name) => join(path, name));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${path} cannot be read: ${errorCode(error)}`);
  }
}

/** Every outcome of an audit log (a segment, or a folder of them), line by line: a log of any length takes the memory of one. */
export async function* outcomesOf(path: string): AsyncGenerator<OutcomeEvent> {
  const files = segmentsOf(path);
  const progress = new Progress(files.reduce((sum, file) => sum + statSync(file).size, 0));
  for (const file of files) {
    const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
    let number = 0;
    for await (const line of lines) {
      number++;
      progress.advance(line.length + 1);
      if (line.includes('"kind":"outcome"')) yield eventOf(line, file, number);
    }
  }
  progress.end();
}

function eventOf(line: string, file: string, number: number): OutcomeEvent {
  try {
    return JSON.parse(line) as OutcomeEvent;
  } catch {
    throw new CommandError(`${file}:${number}: not an audit event; write the name of a segment as the gate wrote it`);
  }
}

/** A bar on a terminal; nothing elsewhere. */
class Progress {
  readonly #total: number;
  #done = 0;
  #shown = -1;

  constructor(total: number) {
    this.#total = total;
  }

  advance(bytes: number): void {
    this.#done += bytes;
    const percent = Math.min(100, Math.floor((this.#done / this.#total) * 100));
    if (!process.stderr.isTTY || percent === this.#shown) return;
    this.#shown = percent;
    process.stderr.write(`\r[${'#'.repeat(percent / 4).padEnd(25)}] ${percent} %`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}

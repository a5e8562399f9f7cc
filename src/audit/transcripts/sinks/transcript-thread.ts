import { isMainThread, workerData, type MessagePort } from 'node:worker_threads';
import { setTimeout as wait } from 'node:timers/promises';
import { Sealer } from '../sealed.ts';
import { makeSheet, type SaidExchange } from '../sheet.ts';
import { ObjectFiles } from './object-files.ts';

/** What a thread that keeps transcripts is started with. */
export interface TranscriptStart {
  readonly folder: string;
  readonly recipients: readonly string[];
}

/** What it answers: an exchange is kept, or cannot be for now and is tried again. */
export type TranscriptNews =
  | { readonly kind: 'kept'; readonly exchange: string; readonly objects: readonly string[] }
  | { readonly kind: 'failed'; readonly problem: string };

/** Milliseconds until what could not be written is tried again. */
const AGAIN = 1000;

/** Keeps one exchange after another. */
export class TranscriptWriter {
  readonly #files: Promise<ObjectFiles>;
  readonly #tell: (news: TranscriptNews) => void;
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  constructor({ folder, recipients }: TranscriptStart, clock: () => number, tell: (news: TranscriptNews) => void) {
    this.#files = Sealer.open(recipients).then((sealer) => new ObjectFiles(folder, sealer, clock));
    this.#tell = tell;
  }

  /** Takes an exchange; it is kept behind those before. */
  take(said: SaidExchange): void {
    this.#last = this.#last.then(() => this.#keep(said));
  }

  close(): void {
    this.#closed = true;
  }

  /** Tries until it is kept. */
  async #keep(said: SaidExchange): Promise<void> {
    while (!this.#closed) {
      try {
        this.#tell({ kind: 'kept', exchange: said.exchange, objects: await this.#write(said) });
        return;
      } catch (error) {
        this.#tell({ kind: 'failed', problem: (error as Error).message });
        await wait(AGAIN);
      }
    }
  }

  async #write(said: SaidExchange): Promise<string[]> {
    const files = await this.#files;
    const bodies: string[] = [];
    const sheet = await makeSheet(said, async (bytes) => {
      const object = await files.put(bytes);
      bodies.push(object);
      return object;
    });
    return [await files.put(Buffer.from(JSON.stringify(sheet))), ...bodies];
  }
}

if (!isMainThread && isStart(workerData)) {
  const { port, ...start } = workerData;
  const writer = new TranscriptWriter(start, Date.now, (news) => port.postMessage(news));
  port.on('message', (said: SaidExchange) => writer.take(said));
}

function isStart(data: unknown): data is TranscriptStart & { readonly port: MessagePort } {
  return typeof data === 'object' && data !== null && 'recipients' in data;
}

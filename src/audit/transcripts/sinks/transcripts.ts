import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { encrypterTo } from '../sealed.ts';
import type { SaidExchange } from '../sheet.ts';
import { TranscriptWriter, type TranscriptNews, type TranscriptStart } from './transcript-thread.ts';

/** The thread's own file; beside this one once it is compiled. */
const FILE = fileURLToPath(new URL('./transcript-thread.js', import.meta.url));
/** Exchanges and bytes that wait to be kept; beyond that no exchange begins that is to be kept. */
const MOST = 5000;
const MOST_BYTES = 64 * 1024 * 1024;
/** Milliseconds until a thread that died is followed by another. */
const AGAIN = 1000;
/** Bytes that are held of exchanges under way; beyond that no other one begins. */
const MOST_UNDER_WAY = 256 * 1024 * 1024;
/** Bytes an exchange takes beside its bodies, about. */
const OVERHEAD = 1024;

export interface TranscriptsOptions extends TranscriptStart {
  readonly clock: () => number;
  /** Told when an exchange is kept. */
  readonly onKept: (exchange: string, objects: readonly string[]) => void;
  /** Told once when nothing can be kept, why, and once (null) when it can be again. */
  readonly onState: (problem: string | null) => void;
}

/** Keeps transcripts, on a thread of its own where there is one to be had: compressing and encrypting takes time that requests need. */
export class Transcripts {
  readonly #options: TranscriptsOptions;
  readonly #waiting = new Map<string, SaidExchange>();
  #bytes = 0;
  #underWay = 0;
  #problem: string | null = null;
  #worker: Worker | null = null;
  #port: MessagePort | null = null;
  #here: TranscriptWriter | null = null;
  #again: NodeJS.Timeout | null = null;
  #drained: (() => void) | null = null;
  #closed = false;

  /** Throws an Error with one line for a recipient that is none. */
  constructor(options: TranscriptsOptions) {
    this.#options = options;
    encrypterTo(options.recipients);
    if (existsSync(FILE)) this.#start();
    else this.#here = new TranscriptWriter(options, options.clock, (news) => this.#heard(news));
  }

  /** Why no further exchange may begin that is to be kept; null: it may. */
  get problem(): string | null {
    if (this.#problem !== null) return this.#problem;
    if (this.#waiting.size >= MOST || this.#bytes >= MOST_BYTES) return 'too many transcripts wait to be written';
    return this.#underWay >= MOST_UNDER_WAY ? 'too much is being said at once that is to be kept' : null;
  }

  /** So many more bytes are held of exchanges under way; fewer, where it is below zero. */
  holds(bytes: number): void {
    this.#underWay += bytes;
  }

  /** Exchanges that wait to be kept. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Keeps an exchange, soon. */
  keep(said: SaidExchange): void {
    this.#waiting.set(said.exchange, said);
    this.#bytes += sizeOf(said);
    this.#send(said);
  }

  /** Resolves when all that waits is kept, or after so many milliseconds. */
  async drain(milliseconds: number): Promise<void> {
    if (this.#waiting.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#drained = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): void {
    this.#closed = true;
    if (this.#again !== null) clearTimeout(this.#again);
    this.#here?.close();
    void this.#worker?.terminate();
    this.#port?.close();
  }

  #send(said: SaidExchange): void {
    if (this.#here !== null) this.#here.take(said);
    else this.#port?.postMessage(said);
  }

  #start(): void {
    const { port1, port2 } = new MessageChannel();
    const { folder, recipients } = this.#options;
    const worker = new Worker(FILE, { workerData: { folder, recipients, port: port2 }, transferList: [port2] });
    worker.unref();
    port1.on('message', (news: TranscriptNews) => this.#heard(news));
    port1.unref();
    worker.on('error', (error: Error) => {
      port1.close();
      if (this.#closed) return;
      this.#heard({ kind: 'failed', problem: `the thread that keeps them has died: ${error.message}` });
      this.#port = null;
      this.#again = setTimeout(() => this.#start(), AGAIN).unref();
    });
    this.#worker = worker;
    this.#port = port1;
    // One that takes the place of another has all that waits before it.
    for (const said of this.#waiting.values()) port1.postMessage(said);
  }

  #heard(news: TranscriptNews): void {
    if (news.kind === 'failed') {
      const isNew = this.#problem === null;
      this.#problem = `transcripts cannot be written: ${news.problem}`;
      if (isNew) this.#options.onState(news.problem);
      return;
    }
    const said = this.#waiting.get(news.exchange);
    if (said === undefined) return;
    this.#waiting.delete(news.exchange);
    this.#bytes -= sizeOf(said);
    if (this.#problem !== null) this.#options.onState(null);
    this.#problem = null;
    this.#options.onKept(news.exchange, news.objects);
    if (this.#waiting.size === 0) this.#drained?.();
  }
}

function sizeOf({ request, response }: SaidExchange): number {
  return OVERHEAD + request.body.bytes.length + (response?.body.bytes.length ?? 0);
}

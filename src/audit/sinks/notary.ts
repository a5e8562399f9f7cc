import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import type { Notarizer } from '../log.ts';
import { Tampered } from '../notary.ts';
import type { NotaryAnswer, NotaryStart, NotaryTask } from './notary-thread.ts';
import { SegmentNotary, type SegmentToSign } from './segment-notary.ts';

/** The thread's own file; beside this one once it is compiled. */
const FILE = fileURLToPath(new URL('./notary-thread.js', import.meta.url));
/** Milliseconds the last checkpoint of a segment is waited for. */
const PATIENCE = 2000;

/** A segment's notary that can be told where the segment now stands. */
export interface MovableNotarizer extends Notarizer {
  moved(file: string): void;
}

/** A thread that reads segments behind the gate, one after another, and signs them: hashing takes time that requests need. */
export class NotaryThread {
  readonly #clock: () => number;
  #worker: Worker | null = null;
  #port: MessagePort | null = null;
  #segment: SegmentToSign | null = null;
  readonly #answers = new Int32Array(new SharedArrayBuffer(4));
  #next = 0;
  readonly #waiting = new Map<number, { resolve: (note: string) => void; reject: (error: Error) => void }>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Whether there is a thread to be had: none where the gate is run from its sources. */
  static readonly available = existsSync(FILE);

  /** Takes up a segment. The one before it is over. */
  open(segment: SegmentToSign): MovableNotarizer {
    this.#segment = segment;
    this.#tell({ kind: 'open', segment });
    return {
      checkpoint: (to, seal) => this.#ask(to, seal),
      closing: (to, seal) => this.#askAtOnce(to, seal),
      moved: (file) => {
        this.#segment = { ...segment, file };
        this.#tell({ kind: 'moved', file });
      },
      close: () => undefined,
    };
  }

  close(): void {
    void this.#worker?.terminate();
    this.#port?.close();
  }

  #tell(task: NotaryTask): void {
    (this.#port ?? this.#start()).postMessage(task);
  }

  #ask(to: number, seal: string): Promise<string> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#tell({ kind: 'checkpoint', id, to, seal, time: this.#clock() });
    });
  }

  /** Waits without the event loop: a process that ends has none any more. */
  #askAtOnce(to: number, seal: string): string | null {
    const id = this.#next++;
    const end = performance.now() + PATIENCE;
    this.#tell({ kind: 'checkpoint', id, to, seal, time: this.#clock() });
    for (;;) {
      const seen = Atomics.load(this.#answers, 0);
      const received = receiveMessageOnPort(this.#port as MessagePort) as { message: NotaryAnswer } | undefined;
      if (received?.message.id === id) return received.message.note;
      if (received !== undefined) this.#answered(received.message);
      else if (
        performance.now() >= end ||
        Atomics.wait(this.#answers, 0, seen, end - performance.now()) === 'timed-out'
      )
        return null;
    }
  }

  #start(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const workerData = { port: port2, answers: this.#answers } satisfies NotaryStart;
    const worker = (this.#worker = new Worker(FILE, { workerData, transferList: [port2] }));
    worker.unref();
    worker.on('error', (error: Error) => this.#lost(error));
    port1.on('message', (answer: NotaryAnswer) => this.#answered(answer));
    port1.unref();
    // One that takes the place of another reads the segment from its beginning.
    if (this.#segment !== null) port1.postMessage({ kind: 'open', segment: this.#segment } satisfies NotaryTask);
    return (this.#port = port1);
  }

  #answered({ id, note, problem, tampered }: NotaryAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (note !== null) waiting?.resolve(note);
    else waiting?.reject(tampered ? new Tampered(problem ?? '') : new Error(problem ?? ''));
  }

  /** What waits is told; another thread is started when something is asked again. */
  #lost(cause: Error): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the signing thread was lost', { cause }));
    this.#waiting.clear();
    this.#port?.close();
    this.#port = null;
    this.#worker = null;
  }
}

/** The same on the thread of whoever asks. */
export function notaryHere(segment: SegmentToSign, clock: () => number): MovableNotarizer {
  const notary = new SegmentNotary(segment);
  return {
    checkpoint: (to, seal) =>
      new Promise((resolve) => {
        resolve(notary.checkpoint(to, seal, clock()));
      }),
    closing: (to, seal) => {
      try {
        return notary.checkpoint(to, seal, clock());
      } catch {
        return null;
      }
    },
    moved: (file) => notary.moved(file),
    close: () => notary.close(),
  };
}

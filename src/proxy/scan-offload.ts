import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Finding } from '../model/finding.ts';
import { BudgetExceeded } from '../scan/budget.ts';
import type { Engine } from '../scan/engine.ts';
import type { ThreadAnswer, ThreadTask } from './scan-thread.ts';

/** The thread's own file; beside this one once it is compiled. */
const FILE = fileURLToPath(new URL('./scan-thread.js', import.meta.url));
/** Bytes that may wait for the thread, of all exchanges together. */
const MOST_WAITING = 256 * 1024 * 1024;

interface Waiting {
  readonly size: number;
  readonly resolve: (scan: Scan) => void;
  readonly reject: (error: Error) => void;
}

/** What was found by the thread, and how long it worked. */
export interface Scan {
  readonly findings: readonly Finding[];
  readonly milliseconds: number;
}

/**
 * A thread that scans what would hold up everybody else. Started when it is first needed; one that dies takes the scans under
 * way with it, and another is started for the next.
 */
export class ScanOffload {
  readonly #key: Buffer;
  #worker: Worker | null = null;
  #told: Told = nothingTold();
  #next = 0;
  #size = 0;
  readonly #waiting = new Map<number, Waiting>();

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** Whether there is a thread to be had: none where the gate is run from its sources. */
  static readonly available = existsSync(FILE);

  /** Scans bytes as one whole stream. Rejects with BudgetExceeded, or where the thread fails or has too much to do. */
  scan(engine: Engine, bytes: Buffer): Promise<Scan> {
    if (this.#size + bytes.length > MOST_WAITING)
      return Promise.reject(new BudgetExceeded('too much waits to be inspected'));
    const worker = (this.#worker ??= this.#start());
    const name = this.#tell(worker, engine);
    const id = this.#next++;
    // A view would take all of the buffer it stands in along.
    const copy = Uint8Array.from(bytes);
    this.#size += copy.length;
    return new Promise<Scan>((resolve, reject) => {
      this.#waiting.set(id, { size: copy.length, resolve, reject });
      worker.postMessage({ kind: 'scan', id, engine: name, bytes: copy } satisfies ThreadTask, [copy.buffer]);
    });
  }

  close(): void {
    void this.#worker?.terminate();
  }

  /** Tells the thread what it does not know yet, and returns what it calls these detectors. */
  #tell(worker: Worker, { detectors, registered, documents }: Engine): number {
    const told = this.#told;
    const post = (task: ThreadTask): void => worker.postMessage(task);
    if (told.registered !== registered.current) {
      told.registered = registered.current;
      post({ kind: 'registered', values: registered.current.values });
    }
    if (told.documents !== documents.current) {
      told.documents = documents.current;
      post({ kind: 'documents', documents: documents.current.documents });
    }
    let name = told.engines.get(detectors);
    if (name === undefined) {
      name = told.names++;
      told.engines.set(detectors, name);
      // The thread keeps the last few, as those who ask do.
      if (told.engines.size > 4) told.engines.delete(told.engines.keys().next().value as Engine['detectors']);
      post({ kind: 'engine', name, detectors: [...detectors.values()] });
    }
    return name;
  }

  #start(): Worker {
    const worker = new Worker(FILE);
    worker.unref();
    worker.on('message', (answer: ThreadAnswer) => this.#answered(answer));
    worker.on('error', (error: Error) => this.#lost(worker, error));
    worker.on('exit', () => this.#lost(worker, new Error('the scanning thread has ended')));
    this.#told = nothingTold();
    worker.postMessage({ kind: 'key', key: this.#key } satisfies ThreadTask);
    return worker;
  }

  #answered(answer: ThreadAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id);
    this.#size -= waiting.size;
    if (answer.kind === 'found') waiting.resolve({ findings: answer.findings, milliseconds: answer.milliseconds });
    else waiting.reject(new BudgetExceeded(answer.detail));
  }

  #lost(worker: Worker, cause: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(new Error('the scan was lost', { cause }));
    this.#waiting.clear();
    this.#size = 0;
  }
}

/** What a thread knows. */
interface Told {
  registered: unknown;
  documents: unknown;
  readonly engines: Map<Engine['detectors'], number>;
  names: number;
}

function nothingTold(): Told {
  return { registered: null, documents: null, engines: new Map(), names: 0 };
}

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { deliver, type DeliveryNews, type DeliveryStart } from './delivery-thread.ts';
import { openSink, type AnyCourier } from './open-sink.ts';

/** The thread's own file; beside this one once it is compiled. */
const FILE = fileURLToPath(new URL('./delivery-thread.js', import.meta.url));
/** Milliseconds until a thread that died is followed by another. */
const AGAIN = 1000;

export interface DeliveryOptions extends DeliveryStart {
  readonly clock: () => number;
  readonly tell: (news: DeliveryNews) => void;
  /** Told when the thread has died; another one goes on where it was. */
  readonly onLost: (error: Error) => void;
}

/** Takes the events of the log to all sinks, on a thread of its own where there is one to be had: none where the gate is run from its sources. */
export class Delivery {
  readonly #options: DeliveryOptions;
  #worker: Worker | null = null;
  #couriers: readonly AnyCourier[] = [];
  #again: NodeJS.Timeout | null = null;
  #closed = false;

  /** Throws an Error with one line where a sink cannot be opened. */
  constructor(options: DeliveryOptions) {
    this.#options = options;
    const { log, places, version, sinks, clock, tell } = options;
    const start = { log, places, version };
    if (!existsSync(FILE)) {
      this.#couriers = deliver({ ...start, sinks }, tell, clock);
      return;
    }
    // What is wrong with a sink is said at the start, and not by a thread later.
    const silent = { ...start, clock, record: () => undefined, report: () => undefined };
    for (const sink of sinks) openSink(sink, silent).close();
    this.#start();
  }

  close(): void {
    this.#closed = true;
    if (this.#again !== null) clearTimeout(this.#again);
    for (const courier of this.#couriers) courier.close();
    void this.#worker?.terminate();
  }

  #start(): void {
    const { port1, port2 } = new MessageChannel();
    const { log, places, version, sinks, tell, onLost } = this.#options;
    const worker = new Worker(FILE, {
      workerData: { log, places, version, sinks, port: port2 },
      transferList: [port2],
    });
    worker.unref();
    port1.on('message', (news: DeliveryNews) => tell(news));
    port1.unref();
    worker.on('error', (error: Error) => {
      port1.close();
      if (this.#closed) return;
      onLost(error);
      this.#again = setTimeout(() => this.#start(), AGAIN).unref();
    });
    this.#worker = worker;
  }
}

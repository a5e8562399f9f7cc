import cluster, { type Worker } from 'node:cluster';
import { Channel } from './channel.ts';

/** One process of the fleet. A lane outlives it: whoever takes its place has the same one. */
export interface Member {
  readonly lane: number;
  /** Counts every process there was. */
  readonly incarnation: number;
  readonly channel: Channel;
}

export interface FleetOptions {
  readonly size: number;
  /** The program each of them runs. */
  readonly program: string;
  /** What a member may ask or tell, by name. `ready` and `failed` are heard here as well. */
  readonly handlers: (member: Member) => Readonly<Record<string, (payload: never) => unknown>>;
  /** Called before anything is sent to a member. */
  readonly beforeSend: () => void;
  /** A member is gone that nobody had asked to go; another takes its place. */
  readonly lost: (member: Member, how: string) => void;
}

/** A member could not start, for the reason it told. */
export class FleetError extends Error {
  override name = 'FleetError';
}

interface Running extends Member {
  readonly worker: Worker;
  readonly since: number;
  /** It has said something: what is sent to a process that does not listen yet is lost. */
  hears: boolean;
  ready: boolean;
  /** Why it could not start. */
  failure: string | null;
}

/** A process that lived so long, in milliseconds, is replaced at once; of those that did not, each waits longer than the last. */
const STEADY = 10_000;
const FIRST_WAIT = 100;
const LONGEST_WAIT = 30_000;

/** Processes that share the gate's listeners. One that dies is replaced, for as long as the fleet is not told to stop. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #running = new Map<number, Running>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #count = 0;
  #early = 0;
  #stopping = false;
  #started: { readonly resolve: (first: unknown) => void; readonly reject: (error: unknown) => void } | null = null;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Starts all of them; resolves with what one said when it was ready. Rejects with FleetError when one cannot start. */
  async start(): Promise<unknown> {
    cluster.setupPrimary({ exec: this.#options.program, args: [] });
    const started = new Promise((resolve, reject) => (this.#started = { resolve, reject }));
    for (let lane = 1; lane <= this.#options.size; lane++) this.#fork(lane);
    return started;
  }

  /** Members that take traffic. */
  get ready(): number {
    return [...this.#running.values()].filter((each) => each.ready).length;
  }

  tell(name: string, payload: unknown): void {
    for (const { channel } of this.#hearing()) channel.tell(name, payload);
  }

  /** What each of them answers; those that die meanwhile are left out. */
  async ask(name: string, payload: unknown): Promise<Array<{ readonly member: Member; readonly answer: unknown }>> {
    const asked = this.#hearing().map((member) =>
      member.channel.ask(name, payload).then(
        (answer) => [{ member, answer }],
        () => [],
      ),
    );
    return (await Promise.all(asked)).flat();
  }

  /** From now on nobody is replaced. */
  stop(): void {
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** Ends all of them: a process whose channel is gone ends itself. */
  close(): void {
    this.stop();
    for (const { worker, channel } of this.#running.values()) {
      channel.close();
      if (worker.isConnected()) worker.process.disconnect();
    }
  }

  #hearing(): Running[] {
    return [...this.#running.values()].filter((each) => each.hears);
  }

  #fork(lane: number): void {
    const worker = cluster.fork();
    const incarnation = ++this.#count;
    const port = {
      send: (message: unknown) => void (worker.isConnected() && worker.send(message as object)),
      onMessage: (take: (message: unknown) => void) =>
        void worker.on('message', (message) => {
          member.hears = true;
          take(message);
        }),
    };
    const { handlers, beforeSend } = this.#options;
    const own = {
      ready: (said: never) => this.#ready(member, said),
      failed: (why: never) => this.#failed(member, why),
    };
    const heard: Record<string, (payload: never) => unknown> = { ...own };
    const channel = new Channel({ port, handlers: heard, defer: setImmediate, beforeSend });
    const member: Running = {
      lane,
      incarnation,
      channel,
      worker,
      since: performance.now(),
      hears: false,
      ready: false,
      failure: null,
    };
    Object.assign(heard, handlers(member), own);
    this.#running.set(incarnation, member);
    worker.on('error', () => undefined);
    worker.on('exit', (code, signal) => this.#exited(member, signal ?? `status ${code}`));
  }

  #ready(member: Running, said: unknown): void {
    member.ready = true;
    if (this.ready < this.#options.size) return;
    this.#started?.resolve(said);
    this.#started = null;
  }

  #failed(member: Running, why: string): void {
    member.failure = why;
  }

  #exited(member: Running, how: string): void {
    this.#running.delete(member.incarnation);
    member.channel.close();
    if (this.#stopping) return;
    if (this.#started !== null) {
      this.close();
      this.#started.reject(new FleetError(member.failure ?? `a worker ended with ${how} before it was ready`));
      return;
    }
    this.#options.lost(member, member.failure ?? how);
    const lived = performance.now() - member.since;
    this.#early = lived >= STEADY ? 0 : this.#early + 1;
    const wait = this.#early <= 1 ? 0 : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#early);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#fork(member.lane);
    }, wait);
    this.#timers.add(timer);
  }
}

import { fork, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
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
  /** What a member may ask or tell, by name. `ready`, `taken` and `failed` are heard here. */
  readonly handlers: (member: Member) => Readonly<Record<string, (payload: never) => unknown>>;
  /** Told when what a member said could not be done. */
  readonly failed: (name: string, error: unknown) => void;
  /** Called before anything is sent to a member. */
  readonly beforeSend: () => void;
  /** A member is gone that nobody had asked to go; another takes its place. */
  readonly lost: (member: Member, how: string) => void;
}

/** A connection that somebody is to serve. */
interface Arrival {
  readonly at: number;
  /** How it came in. */
  readonly way: string;
  readonly socket: Socket;
}

/** What goes with a connection that is handed over. */
export interface HandOver {
  readonly connection: number;
  readonly way: string;
}

/** A member could not start, for the reason it told. */
export class FleetError extends Error {
  override name = 'FleetError';
}

interface Running extends Member {
  readonly child: ChildProcess;
  /** Connections it was given and has not taken yet: they are ours until it has. */
  readonly inTransit: Map<number, Arrival>;
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
/** Connections that wait while nobody takes any, and that may be on their way to one member. */
const MOST_WAITING = 1000;
const MOST_IN_TRANSIT = 256;
/** A member that does not take a connection for so long, in milliseconds, hangs: it is killed, and replaced. */
const PATIENCE = 5_000;
const LOOK = 1000;

/**
 * Processes that are handed the gate's connections in turn. One that dies is replaced, for as long as the fleet is not told to
 * stop. `node:cluster` does much of this, but a connection that is on its way to a process when that dies hangs for good there.
 */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #running = new Map<number, Running>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #count = 0;
  #early = 0;
  #stopping = false;
  /** Connections nobody could be given yet. */
  readonly #waiting: Arrival[] = [];
  #handed = 0;
  #watch: NodeJS.Timeout | null = null;
  #started: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | null = null;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Starts all of them; resolves when they are ready. Rejects with FleetError when one cannot start. */
  async start(): Promise<void> {
    const started = new Promise<void>((resolve, reject) => (this.#started = { resolve, reject }));
    for (let lane = 1; lane <= this.#options.size; lane++) this.#fork(lane);
    this.#watch = setInterval(() => this.#killHanging(), LOOK).unref();
    return started;
  }

  /** Members that take traffic. */
  get ready(): number {
    return [...this.#running.values()].filter((each) => each.ready).length;
  }

  /** Gives a connection to a member whose turn it is; one that dies before it has taken it, and the next is given it. */
  hand(way: string, socket: Socket): void {
    socket.on('error', () => undefined);
    this.#give({ at: performance.now(), way, socket });
  }

  tell(name: string, payload: unknown): void {
    for (const { channel } of this.#hearing()) channel.tell(name, payload);
  }

  /** What each of them answers within `patience` milliseconds; those that do not, or die meanwhile, are left out. */
  async ask(
    name: string,
    payload: unknown,
    patience: number,
  ): Promise<Array<{ readonly member: Member; readonly answer: unknown }>> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<[]>((resolve) => (timer = setTimeout(() => resolve([]), patience)));
    const asked = this.#hearing().map((member) => {
      const answered = member.channel.ask(name, payload).then(
        (answer) => [{ member, answer }],
        () => [],
      );
      return Promise.race([answered, late]);
    });
    const answers = (await Promise.all(asked)).flat();
    clearTimeout(timer);
    return answers;
  }

  /** From now on nobody is replaced. */
  stop(): void {
    this.#stopping = true;
    if (this.#watch !== null) clearInterval(this.#watch);
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** Ends all of them: a process whose channel is gone ends itself. */
  close(): void {
    this.stop();
    for (const { socket } of this.#waiting.splice(0)) socket.destroy();
    for (const { child, channel, inTransit } of this.#running.values()) {
      channel.close();
      for (const { socket } of inTransit.values()) socket.destroy();
      if (child.connected) child.disconnect();
    }
  }

  #give(arrival: Arrival): void {
    const [next] = [...this.#running.values()].filter(
      ({ ready, child, inTransit }) => ready && child.connected && inTransit.size < MOST_IN_TRANSIT,
    );
    if (next === undefined) {
      if (this.#waiting.length < MOST_WAITING && !this.#stopping) this.#waiting.push(arrival);
      else arrival.socket.destroy();
      return;
    }
    // To the end of the line: the next connection is another's.
    this.#running.delete(next.incarnation);
    this.#running.set(next.incarnation, next);
    const connection = ++this.#handed;
    next.inTransit.set(connection, arrival);
    const hand: HandOver = { connection, way: arrival.way };
    // Kept open here until it is taken there. Where it cannot be sent its member is dying, and its end is about to be seen.
    next.child.send(hand, arrival.socket, { keepOpen: true }, () => undefined);
  }

  #taken(member: Running, connection: number): void {
    const arrival = member.inTransit.get(connection);
    member.inTransit.delete(connection);
    arrival?.socket.destroy();
    const [next] = this.#waiting.splice(0, 1);
    if (next !== undefined) this.#give(next);
  }

  #killHanging(): void {
    for (const { child, inTransit } of this.#running.values()) {
      const [oldest] = inTransit.values();
      if (oldest !== undefined && performance.now() - oldest.at > PATIENCE) child.kill('SIGKILL');
    }
  }

  #hearing(): Running[] {
    return [...this.#running.values()].filter((each) => each.hears);
  }

  #fork(lane: number): void {
    const child = fork(this.#options.program);
    const incarnation = ++this.#count;
    const port = {
      send: (message: unknown) => void (child.connected && child.send(message as object, () => undefined)),
      onMessage: (take: (message: unknown) => void) =>
        void child.on('message', (message) => {
          member.hears = true;
          take(message);
        }),
    };
    const { handlers, failed, beforeSend } = this.#options;
    const own = {
      ready: () => this.#ready(member),
      taken: (connection: never) => this.#taken(member, connection),
      failed: (why: never) => this.#failed(member, why),
    };
    const heard: Record<string, (payload: never) => unknown> = { ...own };
    const channel = new Channel({ port, handlers: heard, failed, defer: setImmediate, beforeSend });
    const member: Running = {
      lane,
      incarnation,
      channel,
      child,
      inTransit: new Map(),
      since: performance.now(),
      hears: false,
      ready: false,
      failure: null,
    };
    Object.assign(heard, handlers(member), own);
    this.#running.set(incarnation, member);
    // One that never came to life has no end of its own; every other error is followed by one.
    child.on('error', (error) => child.pid === undefined && this.#exited(member, error.message));
    child.on('exit', (code, signal) => this.#exited(member, signal ?? `status ${code}`));
  }

  #ready(member: Running): void {
    member.ready = true;
    for (const arrival of this.#waiting.splice(0)) this.#give(arrival);
    if (this.ready < this.#options.size) return;
    this.#started?.resolve();
    this.#started = null;
  }

  #failed(member: Running, why: string): void {
    member.failure = why;
  }

  #exited(member: Running, how: string): void {
    this.#running.delete(member.incarnation);
    member.channel.close();
    for (const arrival of member.inTransit.values()) this.#give(arrival);
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

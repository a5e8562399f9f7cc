/** The other end of a channel, as a process sees it. */
export interface Port {
  send(message: unknown): void;
  onMessage(take: (message: unknown) => void): void;
}

export interface ChannelOptions {
  readonly port: Port;
  /** What the other end may ask or tell, by name. What is thrown is told to whoever asked. */
  readonly handlers: Readonly<Record<string, (payload: never) => unknown>>;
  /** Told when what the other end said could not be done, and nobody there waits to hear of it. */
  readonly failed: (name: string, error: unknown) => void;
  /** Runs a function once the current turn of the event loop is over. */
  readonly defer: (run: () => void) => void;
  /** Called before anything is sent: what it is sent for is done then. */
  readonly beforeSend?: () => void;
}

/** `[0, name, payload]` tells, `[id, name, payload]` asks, `[-id, null, value]` answers, `[-id, message]` fails. */
type Message = readonly [number, string, unknown] | readonly [number, null, unknown] | readonly [number, string];

interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The other end is gone, or could not do what was asked. */
export class ChannelError extends Error {
  override name = 'ChannelError';
}

/** Questions and news between two processes of one gate. What one turn of the event loop brings is sent together. */
export class Channel {
  readonly #options: ChannelOptions;
  readonly #waiters = new Map<number, Waiter>();
  #outgoing: Message[] = [];
  #count = 0;
  #closed = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
    options.port.onMessage((batch) => {
      if (Array.isArray(batch)) for (const message of batch as Message[]) this.#take(message);
    });
  }

  /** Resolves with what the other end answers. Rejects with ChannelError. */
  ask(name: string, payload: unknown): Promise<unknown> {
    if (this.#closed) return Promise.reject(gone());
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiters.set(id, { resolve, reject });
      this.#send([id, name, payload]);
    });
  }

  tell(name: string, payload: unknown): void {
    if (!this.#closed) this.#send([0, name, payload]);
  }

  /** The other end is gone: nobody answers any more. */
  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters.values()) waiter.reject(gone());
    this.#waiters.clear();
  }

  /** Sends what waits now. */
  flush(): void {
    const outgoing = this.#outgoing;
    this.#outgoing = [];
    if (outgoing.length === 0 || this.#closed) return;
    this.#options.beforeSend?.();
    this.#options.port.send(outgoing);
  }

  #send(message: Message): void {
    this.#outgoing.push(message);
    if (this.#outgoing.length === 1) this.#options.defer(() => this.flush());
  }

  #take(message: Message): void {
    const [id, name, payload] = message;
    if (id < 0) this.#settle(-id, message);
    else if (id === 0)
      this.#handle(name as string, payload).catch((error: unknown) => this.#options.failed(name as string, error));
    else
      this.#handle(name as string, payload).then(
        (value) => this.#send([-id, null, value]),
        (error: unknown) => this.#send([-id, error instanceof Error ? error.message : String(error)]),
      );
  }

  #settle(id: number, message: Message): void {
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    if (message[1] === null) waiter?.resolve(message[2]);
    else waiter?.reject(new ChannelError(message[1]));
  }

  async #handle(name: string, payload: unknown): Promise<unknown> {
    const handler = this.#options.handlers[name];
    if (handler === undefined) throw new ChannelError(`nobody here knows what "${name}" is`);
    return handler(payload as never);
  }
}

function gone(): ChannelError {
  return new ChannelError('the other process is gone');
}

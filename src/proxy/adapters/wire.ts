import type { Duplex } from 'node:stream';
import type { MessageEvent, MessageReader } from '../../http1/reader.ts';

/** Bytes a peer may be ahead of us before we stop reading it, and where we read on. */
const HIGH = 256 * 1024;
const LOW = 64 * 1024;

/** A socket the gate reads HTTP/1 from. Pull: events are taken when there is somebody to give them to. */
export class Wire<Head extends { readonly framing: number }> {
  readonly socket: Duplex;
  readonly #reader: MessageReader<Head>;
  #wake: (() => void) | null = null;
  #paused = false;
  #ended = false;
  #failure: Error | null = null;
  /** Called once, when the connection is lost (not at an orderly end). */
  onGone: (() => void) | null = null;
  /** Called on bytes nobody asked for; a connection at rest must be silent. */
  onUnsolicited: (() => void) | null = null;

  constructor(socket: Duplex, reader: MessageReader<Head>) {
    this.socket = socket;
    this.#reader = reader;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  get ended(): boolean {
    return this.#ended;
  }

  get gone(): boolean {
    return this.#failure !== null;
  }

  /** Bytes that wait to be read. */
  get buffered(): number {
    return this.#reader.buffered;
  }

  get resting(): boolean {
    return this.#reader.resting;
  }

  /** The next event if it is already here. Throws Http1Error for malformed bytes, and what the socket failed with. */
  poll(): MessageEvent<Head> | null {
    const event = this.#reader.next();
    if (this.#paused && this.#reader.buffered < LOW) {
      this.#paused = false;
      this.socket.resume();
    }
    if (event !== null) return event;
    if (this.#failure !== null) throw this.#failure;
    return this.#ended ? this.#reader.finish() : null;
  }

  /** The next event; null at an orderly end between messages. */
  async next(): Promise<MessageEvent<Head> | null> {
    for (;;) {
      const event = this.poll();
      if (event !== null || this.#ended) return event;
      await this.more();
    }
  }

  /** Resolves when there is something new: bytes, the end, or a failure. */
  more(): Promise<void> {
    if (this.#ended || this.#failure !== null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Lets the reader begin the next message. */
  proceed(): void {
    this.#reader.proceed();
  }

  /** Ends the connection with a reason that whoever reads it will see. */
  fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#rouse();
    this.socket.destroy();
    this.onGone?.();
  }

  /** Gives the socket away, with the bytes that were read too early put back. */
  release(): Duplex {
    this.socket.pause();
    this.socket.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose);
    const rest = this.#reader.takeRest();
    if (rest.length > 0) this.socket.unshift(rest);
    return this.socket;
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.onUnsolicited !== null) {
      this.onUnsolicited();
      return;
    }
    this.#reader.push(bytes);
    if (this.#reader.buffered > HIGH && !this.#paused) {
      this.#paused = true;
      this.socket.pause();
    }
    this.#rouse();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.onUnsolicited?.();
    this.#rouse();
  };

  readonly #onError = (error: Error): void => this.fail(error);

  readonly #onClose = (): void => {
    if (!this.#ended) this.fail(new Error('the connection was closed'));
    else if (this.#failure === null) this.onGone?.();
  };

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

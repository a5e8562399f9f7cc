import type { Duplex } from 'node:stream';
import type { MessageEvent, MessageReader } from '../../http1/reader.ts';
import { idleClock, ticks, type Watched } from './idle.ts';

/** Bytes a peer may be ahead of us before we stop reading it, and where we read on. */
const HIGH = 256 * 1024;
const LOW = 64 * 1024;

/** A socket the gate reads HTTP/1 from. Pull: events are taken when there is somebody to give them to. */
export class Wire<Head extends { readonly framing: number }> implements Watched {
  readonly socket: Duplex;
  readonly #reader: MessageReader<Head>;
  #wake: (() => void) | null = null;
  #paused = false;
  #ended = false;
  #failure: Error | null = null;
  heard = 0;
  patience = 0;
  /** Called when neither side has moved a byte for as long as patience lasts. */
  onSilence: () => void = () => undefined;
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
    socket.on('drain', this.#onDrain);
    idleClock.watch(this);
    socket.resume();
  }

  /** How long, in milliseconds, the connection may be silent; 0: for ever. */
  wait(milliseconds: number): void {
    this.patience = ticks(milliseconds);
    this.heard = idleClock.now;
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

  /** Notes that something moved. */
  touch(): void {
    this.heard = idleClock.now;
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
    this.socket
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('error', this.#onError)
      .off('close', this.#onClose)
      .off('drain', this.#onDrain);
    idleClock.forget(this);
    const rest = this.#reader.takeRest();
    if (rest.length > 0) this.socket.unshift(rest);
    return this.socket;
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.onUnsolicited !== null) {
      this.onUnsolicited();
      return;
    }
    this.heard = idleClock.now;
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

  readonly #onDrain = (): void => {
    this.heard = idleClock.now;
  };

  readonly #onClose = (): void => {
    idleClock.forget(this);
    if (!this.#ended) this.fail(new Error('the connection was closed'));
    else if (this.#failure === null) this.onGone?.();
  };

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

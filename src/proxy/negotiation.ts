import type { Socket } from 'node:net';

/** The other end left, or took too long, before it had said what was waited for. */
export class Gone extends Error {}

/** The other end says more than a negotiation needs; beyond this many bytes it is not listened to. */
const MOST_UNREAD = 64 * 1024;

/** Takes the pieces of a negotiation off a socket before another protocol begins on it, and leaves the rest unread. */
export class Negotiation {
  readonly #socket: Socket;
  #buffer = Buffer.alloc(0);
  #wake: (() => void) | null = null;
  #gone = false;
  readonly #timer: NodeJS.Timeout;

  /** `timeout`: milliseconds for all of it. */
  constructor(socket: Socket, timeout: number) {
    this.#socket = socket;
    this.#timer = setTimeout(this.#onEnd, timeout);
    socket.on('error', () => undefined);
    socket.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onEnd);
  }

  /** Bytes that came and were not taken. */
  get unread(): number {
    return this.#buffer.length;
  }

  /** The next bytes, as many as this. Throws Gone. */
  async take(count: number): Promise<Buffer> {
    while (this.#buffer.length < count) await this.#more();
    return this.#takeNow(count);
  }

  /** Text up to an empty line, which is taken with it; null when it is longer than this. Throws Gone. */
  async takeHead(longest: number): Promise<string | null> {
    for (;;) {
      const end = this.#buffer.indexOf('\r\n\r\n', 0, 'latin1');
      if (end === -1 ? this.#buffer.length > longest : end > longest) return null;
      if (end !== -1) return this.#takeNow(end + 4).toString('latin1', 0, end);
      await this.#more();
    }
  }

  /** Gives the socket back, with what was read too early. */
  finish(): void {
    clearTimeout(this.#timer);
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd);
    this.#socket.pause();
    if (this.#buffer.length > 0) this.#socket.unshift(this.#buffer);
    this.#buffer = Buffer.alloc(0);
  }

  async #more(): Promise<void> {
    if (this.#gone) throw new Gone();
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #takeNow(count: number): Buffer {
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    if (this.#buffer.length > MOST_UNREAD) this.#socket.pause();
    this.#rouse();
  };

  readonly #onEnd = (): void => {
    this.#gone = true;
    this.#rouse();
  };

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

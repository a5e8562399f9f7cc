import type { Duplex } from 'node:stream';
import { Receiver, Sender } from 'ws';

/** What a close frame may not say (RFC 6455 §7.4.1): these mean that there was none. */
const NO_STATUS = 1005;
const ABNORMAL = 1006;

/** One end of a WebSocket (RFC 6455): the gate is a server to the agent and a client to the upstream. */
export class WebSocketEnd {
  readonly #socket: Duplex;
  readonly #receiver: Receiver;
  readonly #sender: Sender;
  /** Clients mask what they send. */
  readonly #mask: boolean;
  #closeSent = false;
  #closeSeen = false;
  onMessage: (bytes: Buffer, binary: boolean) => void = () => undefined;
  onPing: (bytes: Buffer) => void = () => undefined;
  onPong: (bytes: Buffer) => void = () => undefined;
  /** The peer said goodbye. */
  onClose: (code: number | undefined, reason: Buffer) => void = () => undefined;
  /** The peer broke the protocol, with the code it is to be told. */
  onFault: (code: number, detail: string) => void = () => undefined;
  /** The connection has ended, whether after a goodbye or not. */
  onGone: () => void = () => undefined;

  constructor(socket: Duplex, role: 'server' | 'client', maxMessage: number) {
    this.#socket = socket;
    this.#mask = role === 'client';
    this.#receiver = new Receiver({ isServer: role === 'server', maxPayload: maxMessage, skipUTF8Validation: false });
    // No extensions: none was agreed on, so a compressed frame is a fault and nothing passes unread.
    this.#sender = new Sender(socket, {});
    this.#receiver
      .on('message', (bytes: Buffer, binary: boolean) => this.onMessage(bytes, binary))
      .on('ping', (bytes: Buffer) => this.onPing(bytes))
      .on('pong', (bytes: Buffer) => this.onPong(bytes))
      .on('conclude', (code: number, reason: Buffer) => this.#concluded(code, reason))
      .on('error', (error: Error) => this.onFault(codeOf(error), error.message))
      .on('drain', () => this.#socket.resume());
    socket.on('data', this.#onData);
    socket.on('error', () => undefined);
    socket.on('end', () => this.onGone());
    socket.on('close', () => this.onGone());
    socket.resume();
  }

  /** True once both sides have said goodbye. */
  get finished(): boolean {
    return this.#closeSent && this.#closeSeen;
  }

  /** Sends a message; `resume` is called once the peer can take more, at once where it can. */
  send(bytes: Buffer, binary: boolean): void {
    if (!this.#closeSent && !this.#socket.destroyed)
      this.#sender.send(bytes, { binary, compress: false, fin: true, mask: this.#mask });
  }

  ping(bytes: Buffer): void {
    if (!this.#closeSent) this.#sender.ping(bytes, this.#mask);
  }

  pong(bytes: Buffer): void {
    if (!this.#closeSent) this.#sender.pong(bytes, this.#mask);
  }

  /** Says goodbye, once. */
  close(code: number | undefined, reason: Buffer | string): void {
    if (this.#closeSent || this.#socket.destroyed) return;
    this.#closeSent = true;
    this.#sender.close(code === NO_STATUS || code === ABNORMAL ? undefined : code, reason, this.#mask);
  }

  /** Holds back whatever this end sends until `other` has taken what it was given. */
  heed(other: WebSocketEnd): void {
    if (!other.#socket.writableNeedDrain) return;
    this.#socket.pause();
    other.#socket.once('drain', () => this.#socket.resume());
  }

  /** Reads no further until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends the connection once what was sent has left, and calls back then, or when it is gone. */
  end(left: () => void): void {
    if (this.#socket.destroyed || this.#socket.writableFinished) return left();
    this.#socket.once('finish', left).once('close', left);
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    // The receiver unmasks in place; what came off a socket is nobody else's.
    if (!this.#receiver.write(bytes)) this.#socket.pause();
  };

  #concluded(code: number, reason: Buffer): void {
    this.#closeSeen = true;
    // What follows a goodbye is not read, but an end must still be heard.
    this.#socket.off('data', this.#onData);
    this.#socket.resume();
    this.onClose(code === NO_STATUS ? undefined : code, reason);
  }
}

/** `ws` keeps the close code under a symbol of its own. */
function codeOf(error: Error): number {
  const symbol = Object.getOwnPropertySymbols(error).find((each) => each.description === 'status-code');
  const code = symbol === undefined ? undefined : (error as unknown as Record<symbol, unknown>)[symbol];
  return typeof code === 'number' ? code : 1002;
}

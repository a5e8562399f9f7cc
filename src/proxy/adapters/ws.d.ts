/** The frame codec of `ws`, which its own types leave out. */
import type { Duplex, Writable } from 'node:stream';

declare module 'ws' {
  interface ReceiverOptions {
    /** Frames come from a client, and so must be masked. */
    readonly isServer: boolean;
    /** Longest message, in bytes. */
    readonly maxPayload: number;
    readonly skipUTF8Validation: boolean;
  }

  /** Bytes in, messages out: `message`, `ping`, `pong`, `conclude`, `error`. */
  class Receiver extends Writable {
    constructor(options: ReceiverOptions);
  }

  /** Messages in, bytes out. */
  class Sender {
    constructor(socket: Duplex, extensions: object);
    send(data: Buffer, options: { binary: boolean; compress: false; fin: true; mask: boolean }): void;
    ping(data: Buffer, mask: boolean): void;
    pong(data: Buffer, mask: boolean): void;
    close(code: number | undefined, reason: Buffer | string, mask: boolean): void;
  }
}

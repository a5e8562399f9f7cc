import { Denial } from '../model/denial.ts';
import type { WebSocketTerms } from '../model/decision.ts';

/** One whole message of a WebSocket, reassembled. */
export interface Message {
  readonly direction: 'to-upstream' | 'to-agent';
  readonly type: 'text' | 'binary';
  readonly bytes: Buffer;
}

/**
 * The one place every WebSocket message passes before it goes on, either way: where scanning will sit. Throws the denial
 * that ends the conversation.
 */
export class MessageInspector {
  readonly #terms: WebSocketTerms | null;
  readonly #times: Record<Message['direction'], number[]> = { 'to-upstream': [], 'to-agent': [] };
  readonly #clock: () => number;

  constructor(terms: WebSocketTerms | null, clock: () => number) {
    this.#terms = terms;
    this.#clock = clock;
  }

  inspect(message: Message): void {
    const rate = this.#terms?.messages ?? null;
    if (rate === null) return;
    // A true sliding window: never more than `count` in any `window` (POLICY.md, "Limits").
    const now = this.#clock();
    const times = this.#times[message.direction];
    while (times.length > 0 && now - (times[0] as number) >= rate.window) times.shift();
    if (times.length >= rate.count)
      throw new Denial(
        'rate-exceeded',
        `more than ${rate.count} messages within ${rate.window / 1000} s on a WebSocket`,
      );
    times.push(now);
  }
}

import { Denial } from '../model/denial.ts';
import type { WebSocketTerms } from '../model/decision.ts';
import type { Rate } from '../model/units.ts';

/** One whole message of a WebSocket, reassembled. */
export interface Message {
  readonly direction: 'to-upstream' | 'to-agent';
  /** `control`: a ping or pong, which carries up to 125 bytes of its sender's choice too. */
  readonly type: 'text' | 'binary' | 'control';
  readonly bytes: Buffer;
}

/** Pings and pongs are no messages of the rule's count, but no second channel beside it either. Clients send a few a minute. */
const CONTROL: Rate = { count: 60, window: 60_000 };

/**
 * The one place everything a WebSocket carries passes before it goes on, either way: where scanning will sit. Throws the
 * denial that ends the conversation.
 */
export class MessageInspector {
  readonly #terms: WebSocketTerms;
  readonly #clock: () => number;
  readonly #times = new Map<string, number[]>();

  constructor(terms: WebSocketTerms, clock: () => number) {
    this.#terms = terms;
    this.#clock = clock;
  }

  inspect({ direction, type }: Message): void {
    if (type === 'control') this.#count(`${direction} control`, CONTROL);
    else if (this.#terms.messages !== null) this.#count(direction, this.#terms.messages);
  }

  /** A true sliding window: never more than `count` in any `window` (POLICY.md, "Limits"). */
  #count(key: string, rate: Rate): void {
    const now = this.#clock();
    const times = this.#times.get(key) ?? [];
    this.#times.set(key, times);
    while (times.length > 0 && now - (times[0] as number) >= rate.window) times.shift();
    if (times.length >= rate.count)
      throw new Denial('rate-exceeded', `more than ${rate.count} ${key} messages within ${rate.window / 1000} s`);
    times.push(now);
  }
}

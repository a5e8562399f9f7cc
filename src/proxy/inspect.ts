import { Denial } from '../model/denial.ts';
import type { Finding } from '../model/finding.ts';
import type { WebSocketTerms } from '../model/decision.ts';
import type { Rate } from '../model/units.ts';
import type { Scanner } from '../scan/scanner.ts';
import { AnswerReading } from './answer-reading.ts';
import type { Inspection } from './inspection.ts';
import type { ReceivedText } from './novelties.ts';
import { NOTHING } from './scan-response.ts';

/** One whole message of a WebSocket, reassembled. */
export interface Message {
  readonly direction: 'to-upstream' | 'to-agent';
  /** `control`: a ping or pong, which carries up to 125 bytes of its sender's choice too. */
  readonly type: 'text' | 'binary' | 'control';
  readonly bytes: Buffer;
}

const WHERE = 'a WebSocket message';
/** Bytes on either side of where two messages meet that are read together. */
const TAIL = 1024;

/** Pings and pongs are no messages of the rule's count, but no second channel beside it either. Clients send a few a minute. */
const CONTROL: Rate = { count: 60, window: 60_000 };

/**
 * The one place everything a WebSocket carries passes before it goes on: scanned on its way out, read on its way back. Throws
 * the denial that ends the conversation.
 */
export class MessageInspector {
  readonly #terms: WebSocketTerms;
  readonly #clock: () => number;
  readonly #times = new Map<string, number[]>();

  readonly #inspection: Inspection;
  readonly #reading: AnswerReading | null;
  #scanner: Scanner | null = null;
  /** The end of what was sent before: a secret may be cut up between messages. */
  #tail: Buffer = Buffer.alloc(0);

  constructor(terms: WebSocketTerms, clock: () => number, inspection: Inspection, received: ReceivedText | null) {
    this.#terms = terms;
    this.#clock = clock;
    this.#inspection = inspection;
    const { answerTerms } = inspection;
    // Notes have no place in a conversation.
    inspection.late = true;
    this.#reading =
      answerTerms === null && received === null
        ? null
        : new AnswerReading({ form: 'lines', codings: [], received }, answerTerms ?? NOTHING, inspection);
  }

  inspect({ direction, type, bytes }: Message): void {
    if (type === 'control') this.#count(`${direction} control`, CONTROL);
    else if (this.#terms.messages !== null) this.#count(direction, this.#terms.messages);
    if (bytes.length === 0) return;
    if (direction === 'to-agent') this.#reading?.message(bytes);
    else if (!this.#inspection.off) this.#scan(bytes);
  }

  /** Whatever is found ends the conversation before the message has left: nothing can be taken out of one. */
  #scan(bytes: Buffer): void {
    const inspection = this.#inspection;
    const scanner = (this.#scanner ??= inspection.take());
    const meet = this.#tail.length;
    const joined = meet === 0 ? bytes : Buffer.concat([this.#tail, bytes.subarray(0, TAIL)]);
    this.#tail = Buffer.concat([this.#tail, bytes]).subarray(-TAIL);
    for (const each of joined === bytes ? [bytes] : [bytes, joined]) {
      const findings = inspection.run(() => scanner.wholeBytes(each));
      if (each === bytes) inspection.transcript?.foundInBody('to-upstream', findings);
      else inspection.transcript?.foundInParts('to-upstream', findings.filter(goesAcross(meet)));
      const [redaction] = inspection.judge(findings, 'to-upstream', 'body', () => WHERE);
      if (redaction !== undefined) inspection.refuse(redaction, WHERE);
    }
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

/** Whether something begins in the message before and ends in this one; what stands whole in either was found there. */
function goesAcross(meet: number): (finding: Finding) => boolean {
  return ({ offset, length }) => offset < meet && offset + length > meet;
}

import { randomBytes } from 'node:crypto';
import { Novelty, NoveltyMeter, noveltySeed } from '../scan/novelty.ts';
import { AnswerStrings, type Form, type StringsListener } from '../scan/text/answer-strings.ts';
import type { Exchange } from './exchange.ts';

/** Sessions, or agents without one, of which is remembered what they sent and received; 128 KiB each. */
const MOST = 256;

/** What the agents of this process have sent and received, as far as that is limited (`novel-upload`). */
export class Novelties {
  readonly #seed = noveltySeed(randomBytes(1028));
  readonly #all = new Map<string, Novelty>();

  /** What is known in the session of an exchange. What is forgotten counts as new again: too much is counted, and never too little. */
  of({ agent, session }: Exchange): Novelty {
    const key = session === null ? `agent ${agent ?? ''}` : `session ${session.id}`;
    const novelty = this.#all.get(key) ?? new Novelty(this.#seed);
    this.#all.delete(key);
    this.#all.set(key, novelty);
    if (this.#all.size > MOST) this.#all.delete(this.#all.keys().next().value as string);
    return novelty;
  }
}

/** Texts that grow over events of one answer; more of them share the last. */
const GROWING = 16;

/** Notes what an agent receives in one answer: what it passes on of that later is not new. */
export class ReceivedText implements StringsListener {
  readonly #novelty: Novelty;
  readonly #strings: AnswerStrings;
  readonly #raw: NoveltyMeter | null;
  readonly #growing = new Map<string, NoveltyMeter>();
  #over = false;

  constructor(novelty: Novelty, form: Form) {
    this.#novelty = novelty;
    this.#strings = new AnswerStrings(form, this);
    this.#raw = form === 'lines' || form === 'events' ? null : new NoveltyMeter(novelty, true);
  }

  /** Reads the next bytes, their content codings undone. Throws EventTooLong. */
  push(bytes: Uint8Array): void {
    if (this.#raw === null) return this.#strings.push(bytes);
    this.#raw.push(bytes);
    this.#raw.keep();
  }

  message(text: string): void {
    this.#strings.message(text);
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#raw === null) this.#strings.end();
    else end(this.#raw);
    for (const meter of this.#growing.values()) end(meter);
  }

  text(text: string): void {
    this.whole(text);
  }

  whole(text: string): void {
    const meter = new NoveltyMeter(this.#novelty, false);
    meter.push(Buffer.from(text));
    end(meter);
  }

  grow(name: string, asJson: boolean, text: string): void {
    const key = this.#growing.size < GROWING ? name : '';
    const meter = this.#growing.get(name) ?? this.#growing.get(key) ?? new NoveltyMeter(this.#novelty, asJson);
    this.#growing.set(key, meter);
    meter.push(Buffer.from(text));
    meter.keep();
  }
}

function end(meter: NoveltyMeter): void {
  meter.end();
  meter.keep();
}

import { Denial } from '../model/denial.ts';
import type { Finding } from '../model/finding.ts';
import { BudgetExceeded } from '../scan/budget.ts';
import { CodingError, ContentDecoder, type Coding } from '../scan/content-decoder.ts';
import { EventTooLong } from '../scan/event-stream.ts';
import type { Scanner } from '../scan/scanner.ts';
import type { Form } from '../scan/text/answer-strings.ts';
import { AnswerText, type TextFinding } from '../scan/text/answer-text.ts';
import { ScreenedText } from '../scan/text/screened-text.ts';
import type { Inspection } from './inspection.ts';
import type { ReceivedText } from './novelties.ts';

/** What one piece of an answer may decode to. */
const MOST_DECODED = 64 * 1024 * 1024;

/** Bytes of an answer that may have gone on and are still to be decoded. */
const MOST_BEHIND = 256 * 1024;

const NONE: readonly Finding[] = [];

/** An answer that is to be read. */
export interface UnreadAnswer {
  readonly form: Form;
  readonly codings: readonly Coding[];
  /** Notes what the agent receives, where it is limited how much it may send that is new. */
  readonly received: ReceivedText | null;
}

/** What is looked for in an answer, and what may come of it. */
export interface FindingTerms {
  readonly instructions: boolean;
  readonly secrets: boolean;
  /** What is found may stop the answer or change it: nothing of it goes on before it was read. */
  readonly holds: boolean;
}

/** Reads one answer on its way to the agent. */
export class AnswerReading {
  readonly form: Form;
  readonly holds: boolean;
  readonly #inspection: Inspection;
  readonly #decoder: ContentDecoder | null;
  #text: AnswerText | ScreenedText | null;
  #scanner: Scanner | null;
  #received: ReceivedText | null;
  #redactions: readonly Finding[] = NONE;
  /** What goes on and is still to be decoded: its bytes, when it will be read, and why it cannot. */
  #behind = 0;
  #following: Promise<void> | null = null;
  #failure: unknown = null;

  constructor({ form, codings, received }: UnreadAnswer, terms: FindingTerms, inspection: Inspection) {
    this.form = form;
    this.holds = terms.holds;
    this.#inspection = inspection;
    this.#decoder = codings.length === 0 ? null : new ContentDecoder(codings, MOST_DECODED, true);
    // What may stop the answer must be known as it comes; for all else it is enough that it is found.
    const Text = terms.holds ? AnswerText : ScreenedText;
    this.#text = terms.instructions ? new Text(form, inspection.textScanners) : null;
    this.#scanner = terms.secrets ? inspection.take() : null;
    this.#received = received;
  }

  /** A match is under way, of which nothing may go on yet. */
  get open(): boolean {
    return this.holds && (this.#text?.open === true || this.#scanner?.open === true);
  }

  /** What came last is nothing that anybody reads: it need not be held until the rest is here. */
  get isBinary(): boolean {
    return this.#scanner === null && this.#text?.isBinary === true;
  }

  /** The answer goes on: what is found from now on comes too late for a note. */
  begin(): void {
    this.#inspection.late = true;
    this.settle();
  }

  /** What was read goes on as it came. Throws the denial where something should have been taken out of it. */
  settle(): void {
    if (this.holds && this.#redactions.length > 0) this.refuse();
  }

  /** Throws the denial of what should have been taken out and cannot be. */
  refuse(): never {
    const [first] = this.#redactions as [Finding];
    this.#inspection.refuse(first, 'the answer');
    throw new Error('a finding that is to be taken out in a mode that takes nothing out');
  }

  /** What is to be taken out of the answer. */
  get redactions(): readonly Finding[] {
    return this.#redactions;
  }

  /** Reads the next bytes, as they came; returns what they decode to. Throws the denial of what must not go on. */
  async push(bytes: Buffer): Promise<Buffer> {
    if (this.#decoder === null) {
      this.read(bytes);
      return bytes;
    }
    const decoded = await this.#decoded((decoder) => decoder.push(bytes));
    this.read(decoded);
    return decoded;
  }

  /**
   * Reads bytes that go on meanwhile. Returns when the next should come, where too much is still to be read; null: at once.
   * Throws the denial of what came before.
   */
  follow(bytes: Buffer): Promise<void> | null {
    if (this.#decoder === null) {
      this.read(bytes);
      return null;
    }
    this.#behind += bytes.length;
    const following = this.#then(async () => {
      await this.push(bytes);
      this.#behind -= bytes.length;
    });
    return this.#behind > MOST_BEHIND ? following : null;
  }

  /** The answer is over, and has gone on. */
  followEnd(): void {
    if (this.#decoder === null) this.finish();
    else void this.#then(() => this.end());
  }

  /** Resolves when all that went on was read; null: it was. Rejects with the denial of what should not have. */
  get following(): Promise<void> | null {
    return this.#following;
  }

  #then(step: () => Promise<unknown>): Promise<void> {
    if (this.#failure !== null) throw this.#failure as Error;
    const following = (this.#following ?? Promise.resolve()).then(step).then(() => undefined);
    // Whoever asks next hears of it.
    following.catch((error: unknown) => (this.#failure ??= error));
    this.#following = following;
    return following;
  }

  /** Reads the next bytes, their codings undone. */
  read(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#run(() => {
      this.#received?.push(bytes);
      const found = this.#scanner?.push(bytes);
      this.#inspection.transcript?.foundInBody('to-agent', found ?? NONE);
      this.#judge(this.#text?.push(bytes), found);
    });
  }

  /** One message of a conversation, whole. */
  message(bytes: Buffer): void {
    this.#run(() => {
      const text = bytes.toString('utf8');
      this.#received?.message(text);
      const found = this.#scanner?.wholeBytes(bytes);
      this.#inspection.transcript?.foundInParts('to-agent', found ?? NONE);
      this.#judge(this.#text?.message(text), found);
    });
  }

  /** The answer is over: reads what was left open. Returns the last of what it decodes to. */
  async end(): Promise<Buffer> {
    const last = this.#decoder === null ? Buffer.alloc(0) : await this.#decoded((decoder) => decoder.end());
    this.read(last);
    this.finish();
    return last;
  }

  /** The same, where there is nothing to decode. */
  finish(): void {
    this.#run(() => {
      this.#received?.end();
      const found = this.#scanner?.end();
      this.#inspection.transcript?.foundInBody('to-agent', found ?? NONE);
      this.#judge(this.#text?.end(), found);
    });
    if (this.#scanner !== null) this.#inspection.give(this.#scanner);
    this.close();
  }

  /** Lets go of everything. Nothing more is read. */
  close(): void {
    this.#decoder?.destroy();
    this.#text = this.#scanner = this.#received = null;
  }

  /** Nothing is read any more. */
  get #isIdle(): boolean {
    return this.#text === null && this.#scanner === null && this.#received === null;
  }

  #judge(said: readonly TextFinding[] = [], found: readonly Finding[] = []): void {
    for (const each of said) {
      const where = each.hidden ? 'hidden text of the answer' : 'the answer';
      this.#inspection.judge([each], 'to-agent', 'body', () => where);
    }
    if (found.length === 0) return;
    const where = (offset: number): string => `byte ${offset} of the answer`;
    this.#redactions = [...this.#redactions, ...this.#inspection.judge(found, 'to-agent', 'body', where)];
    if (this.#inspection.late) this.settle();
  }

  #run(step: () => void): void {
    if (this.#isIdle) return;
    try {
      this.#inspection.timed(step);
    } catch (error) {
      if (error instanceof BudgetExceeded) this.#giveUp('the answer is too costly to inspect', error);
      else if (error instanceof EventTooLong) this.#giveUp('the answer has an event too long to inspect', error);
      else throw error;
    }
  }

  async #decoded(step: (decoder: ContentDecoder) => Promise<Buffer>): Promise<Buffer> {
    if (this.#isIdle) return Buffer.alloc(0);
    try {
      return await step(this.#decoder as ContentDecoder);
    } catch (error) {
      if (!(error instanceof CodingError)) throw error;
      this.#giveUp('the content coding of the answer cannot be undone', error);
      return Buffer.alloc(0);
    }
  }

  /** What cannot be read does not go on where it might have been stopped; elsewhere nothing more is looked for. */
  #giveUp(detail: string, cause: Error): void {
    if (this.#isIdle) return;
    this.close();
    this.#inspection.unread();
    if (this.holds) throw new Denial('scan-budget', detail, { cause });
  }
}

import type { Form } from './answer-strings.ts';
import { AnswerText, type ScannerSource, type TextFinding } from './answer-text.ts';
import { Look } from './screen.ts';

/** Bytes, and pieces, of an answer that are kept until it is known whether it is to be read. */
const MOST_BYTES = 64 * 1024;
const MOST_PIECES = 16;
const NOTHING: readonly TextFinding[] = [];

/** Forms in which what stands apart in the answer is not told as one text. */
const SCREENED: ReadonlySet<Form> = new Set(['text', 'json', 'unsure']);

/** What an answer says, read once it may say something. What is found is the same as by reading all of it. */
export class ScreenedText {
  readonly #form: Form;
  readonly #source: ScannerSource;
  #look: Look | null;
  /** What was seen and is not read. */
  #pieces: Uint8Array[] = [];
  #size = 0;
  #text: AnswerText | null = null;

  constructor(form: Form, source: ScannerSource) {
    this.#form = form;
    this.#source = source;
    const { screen } = source;
    this.#look = screen === null || !SCREENED.has(form) ? null : new Look(screen);
  }

  /** Looks at the next bytes, their content codings undone. Throws as AnswerText does. */
  push(bytes: Uint8Array): readonly TextFinding[] {
    if (this.#look === null) return (this.#text ??= this.#begin()).push(bytes);
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    const isTooMuch = this.#size > MOST_BYTES || this.#pieces.length > MOST_PIECES;
    return isTooMuch || this.#look.suspects(bytes) ? this.#readAll() : NOTHING;
  }

  /** One message of a conversation, whole. */
  message(text: string): readonly TextFinding[] {
    return (this.#text ??= this.#begin()).message(text);
  }

  end(): readonly TextFinding[] {
    return this.#text === null ? NOTHING : this.#text.end();
  }

  /** Nothing of what came last can be read. */
  get isBinary(): boolean {
    return this.#text?.isBinary === true;
  }

  /** A match is under way. */
  get open(): boolean {
    return this.#text?.open === true;
  }

  #begin(): AnswerText {
    return new AnswerText(this.#form, this.#source);
  }

  #readAll(): readonly TextFinding[] {
    const text = (this.#text = this.#begin());
    const pieces = this.#pieces;
    this.#look = null;
    this.#pieces = [];
    return pieces.flatMap((piece) => text.push(piece));
  }
}

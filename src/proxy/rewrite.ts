import type { ResponseHead } from '../http1/head.ts';
import { parseMediaType } from '../policy/content/text.ts';
import { redact } from '../scan/redact.ts';
import { annotate, noteOf } from './annotate.ts';
import type { AnswerReading } from './answer-reading.ts';
import type { Exchange } from './exchange.ts';
import type { Inspected } from './inspection.ts';
import type { AnswerHead } from './message.ts';
import type { Permit } from './permit.ts';

/** What is said of an answer's bytes is not true of those that are sent instead. */
const ABOUT_BYTES: readonly string[] = [
  'content-encoding',
  'content-md5',
  'content-digest',
  'repr-digest',
  'digest',
  'etag',
  'accept-ranges',
  'content-range',
];

/** The head of an answer that leaves with other bytes than it came with. */
export function rewritten(head: AnswerHead): AnswerHead {
  return { ...head, fields: head.fields.without(ABOUT_BYTES) };
}

/** Whether whoever reads the answer is to be warned. */
export function isAnnotated({ findings }: Exchange): boolean {
  return findings !== null && findings.some(isNote);
}

function isNote({ action, direction }: Inspected): boolean {
  return action === 'annotate' && direction === 'to-agent';
}

/** Puts notes on what was found into messages, each finding noted once. */
export class Notes {
  readonly #exchange: Exchange;
  readonly #permit: Permit;
  #told = 0;

  constructor(exchange: Exchange, permit: Permit) {
    this.#exchange = exchange;
    this.#permit = permit;
  }

  /** The message with a note; null: there is nothing to note, or no place for it. */
  on(message: Buffer, essence: string | null): Buffer | null {
    const findings = this.#exchange.findings ?? [];
    const detectors = new Set(
      findings
        .slice(this.#told)
        .filter(isNote)
        .map(({ detector }) => detector),
    );
    this.#told = findings.length;
    if (detectors.size === 0 || this.#permit.mode !== 'enforce') return null;
    return annotate(message, essence, noteOf(this.#permit.target.host.text, [...detectors]));
  }
}

/** A whole answer without what is to be taken out of it, and with a note on what was found; null: it goes on as it came. */
export function rewrite(
  decoded: Buffer,
  reading: AnswerReading,
  essence: string | null,
  exchange: Exchange,
  permit: Permit,
): Buffer | null {
  const { redactions } = reading;
  const clean = redactions.length === 0 ? decoded : redact(decoded, redactions, reading.form === 'json');
  if (clean === null) return reading.refuse();
  return new Notes(exchange, permit).on(clean, essence) ?? (clean === decoded ? null : clean);
}

/** Media type of an answer, without its parameters. */
export function essenceOf({ fields }: ResponseHead): string | null {
  return parseMediaType(fields.values('content-type'))?.essence ?? null;
}

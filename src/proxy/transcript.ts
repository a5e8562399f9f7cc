import type { SaidBody, SaidExchange } from '../audit/transcripts/sheet.ts';
import { TO_AGENT, TO_UPSTREAM } from '../http1/fields.ts';
import type { ResponseHead } from '../http1/head.ts';
import { Denial } from '../model/denial.ts';
import type { Facts } from '../model/facts.ts';
import type { Finding } from '../model/finding.ts';
import { contentCodings, decodeContent, type Coding } from '../scan/content-decoder.ts';
import { redact } from '../scan/redact.ts';
import type { HeldBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import type { Direction } from './inspection.ts';
import type { AgentRequest, BodyStream } from './message.ts';
import type { Permit } from './permit.ts';
import type { Services } from './services.ts';

declare const transcribed: unique symbol;

/** Proof that what is about to be looked at is being written down, where the rules ask for it. Made only here. */
export interface TranscribedBody extends HeldBody {
  readonly [transcribed]: true;
}

/**
 * Begins the transcript of an exchange, where its rules ask for one (`audit: transcript`). Throws `audit-unavailable` where none
 * can be kept: then nothing is said.
 */
export function transcribe(
  request: AgentRequest,
  facts: Facts,
  body: HeldBody,
  permit: Permit,
  exchange: Exchange,
  { transcripts, transcriptBody }: Services,
): TranscribedBody {
  if (!permit.transcript) return mintTranscribedBody(body);
  if (transcripts === null) throw new Denial('audit-unavailable', 'audit.transcript.recipients are not set');
  if (transcripts.problem !== null) throw new Denial('audit-unavailable', transcripts.problem);
  const path = permit.rawPath ? facts.path.raw : (facts.path.canonical ?? facts.path.raw);
  const bound: Bound = { limit: transcriptBody, holds: (bytes) => transcripts.holds(bytes) };
  const transcript = new Transcript(exchange.id, bound, {
    start: [`${facts.method} `, facts.query === null ? path : `${path}?${facts.query}`, ` ${request.protocol}`],
    host: permit.target.authority,
    fields: request.fields.text(TO_UPSTREAM.naming(request.connection)),
    codings: contentCodings(request.fields.values('content-encoding')),
  });
  exchange.transcript = transcript;
  for (const bytes of body.pieces) transcript.said('to-upstream', bytes);
  return mintTranscribedBody(body.rest === null ? body : { ...body, rest: listened(body.rest, transcript) });
}

/** The same body, whoever reads it. */
function listened(body: BodyStream, transcript: Transcript): BodyStream {
  return {
    length: body.length,
    present: body.present,
    get finished() {
      return body.finished;
    },
    get trailers() {
      return body.trailers;
    },
    ...(body.prepaid === undefined ? {} : { prepaid: body.prepaid }),
    read: async () => {
      const bytes = await body.read();
      if (bytes !== null) transcript.said('to-upstream', bytes);
      return bytes;
    },
  };
}

/** How much is kept, and who is told of it. */
interface Bound {
  /** Bytes of a body. */
  readonly limit: number;
  /** Told how many more bytes are held; fewer, where it is below zero. */
  readonly holds: (bytes: number) => void;
}

/** What an agent's request begins with. */
interface Asked {
  /** Before the target, the target, behind it. */
  readonly start: readonly [string, string, string];
  readonly host: string;
  /** Lines, each with a CRLF before it. */
  readonly fields: string;
  /** Null: one that nobody knows. */
  readonly codings: readonly Coding[] | null;
}

/** What is not to stand in a transcript, however well it is locked away. What instructs an agent is kept: it is the evidence. */
const MASKED: ReadonlySet<Finding['family']> = new Set(['secrets', 'personal-data', 'registered-values', 'documents']);

/** Fields whose values are credentials, known to the scanner or not. */
const CREDENTIALS =
  /^((?:proxy-)?authorization|cookie|set-cookie|x-[a-z-]*(?:key|token|auth)[a-z-]*|[a-z-]*api-?key|[a-z-]*token|apikey):.*$/gim;

/** What was said in one exchange, by the agent and by the upstream, each as it was said to the gate, without what was found in it. */
export class Transcript {
  readonly #exchange: string;
  readonly #asked: Asked;
  readonly #request: Kept;
  readonly #bound: Bound;
  /** Texts of the head in which something was found, and what stands in their place. */
  readonly #texts = new Map<string, string>();
  #answer: { readonly head: string; readonly body: Kept } | null = null;
  /** Nothing of the head is shown. */
  #isHeadMasked = false;

  constructor(exchange: string, bound: Bound, asked: Asked) {
    this.#exchange = exchange;
    this.#bound = bound;
    this.#asked = asked;
    this.#request = new Kept(bound, asked.codings);
  }

  /** The head of the answer is here. */
  answered({ status, phrase, fields, connection }: ResponseHead): void {
    const lines = fields.text(TO_AGENT.naming(connection));
    const codings = contentCodings(fields.values('content-encoding'));
    this.#answer = { head: `${status} ${phrase}${lines}`, body: new Kept(this.#bound, codings) };
  }

  /** A piece of a body has come. */
  said(direction: Direction, bytes: Buffer): void {
    this.#bodyOf(direction)?.push(bytes);
  }

  /** A message of a conversation has come. */
  message(direction: Direction, type: string, bytes: Buffer): void {
    const body = this.#bodyOf(direction);
    body?.push(Buffer.from(`\n[${type}, ${bytes.length} bytes, ${new Date().toISOString()}]\n`));
    body?.begin();
    body?.push(bytes);
  }

  /** Something was found in a text of the head. */
  foundInHead(text: Buffer, findings: readonly Finding[]): void {
    const masked = findings.filter(({ family }) => MASKED.has(family));
    const clean = masked.length === 0 ? null : redact(text, masked, false);
    if (clean !== null) this.#texts.set(text.toString('latin1'), clean.toString('latin1'));
  }

  /** Something was found in a body, its codings undone; in the last message of a conversation. */
  foundInBody(direction: Direction, findings: readonly Finding[]): void {
    this.#bodyOf(direction)?.mask(findings.filter(({ family }) => MASKED.has(family)));
  }

  /** Something was found that is made of several parts: nobody can say where it stands. */
  foundInParts(direction: Direction, findings: readonly Finding[]): void {
    if (!findings.some(({ family }) => MASKED.has(family))) return;
    this.#bodyOf(direction)?.withhold();
    if (direction === 'to-upstream') this.#isHeadMasked = true;
  }

  /** All of it, once the exchange is over. */
  async end(): Promise<SaidExchange> {
    const answer = this.#answer;
    return {
      exchange: this.#exchange,
      request: { head: this.#requestHead(), body: await this.#request.body() },
      response: answer === null ? null : { head: withoutCredentials(answer.head), body: await answer.body.body() },
    };
  }

  #bodyOf(direction: Direction): Kept | null {
    return direction === 'to-upstream' ? this.#request : (this.#answer?.body ?? null);
  }

  #requestHead(): string {
    const { start, host, fields } = this.#asked;
    const [method, target, protocol] = start;
    const shown = (text: string): string => (this.#isHeadMasked ? WITHHELD : (this.#texts.get(text) ?? text));
    const lines = this.#isHeadMasked ? `\r\n${WITHHELD}` : shown(fields);
    return withoutCredentials(`${method}${shown(target)}${protocol}\r\nhost: ${host}${lines}`);
  }
}

const WITHHELD = '[withheld: something was found in parts of it]';

function withoutCredentials(head: string): string {
  return head.replace(CREDENTIALS, '$1: [redacted credential]');
}

/** How much larger than what is kept of it a body may be once its codings are undone. */
const EXPANSION = 64;

/** The beginning of a body, and what was found in all of it. */
class Kept {
  readonly #bound: Bound;
  readonly #codings: readonly Coding[] | null;
  readonly #pieces: Buffer[] = [];
  readonly #found: Finding[] = [];
  #kept = 0;
  #size = 0;
  /** Where offsets of findings count from. */
  #base = 0;
  /** Bytes up to here are not shown. */
  #withheld = 0;

  constructor(bound: Bound, codings: readonly Coding[] | null) {
    this.#bound = bound;
    this.#codings = codings;
  }

  push(bytes: Buffer): void {
    this.#size += bytes.length;
    const room = Math.min(bytes.length, this.#bound.limit - this.#kept);
    if (room <= 0) return;
    // What comes from a connection may be written over once it has gone on.
    this.#pieces.push(Buffer.from(bytes.subarray(0, room)));
    this.#kept += room;
    this.#bound.holds(room);
  }

  /** Findings count from here on. */
  begin(): void {
    this.#base = this.#size;
  }

  mask(findings: readonly Finding[]): void {
    for (const finding of findings) this.#found.push({ ...finding, offset: finding.offset + this.#base });
  }

  withhold(): void {
    this.#withheld = this.#size;
  }

  /** All that is kept. Nothing is held any more. */
  async body(): Promise<SaidBody> {
    const bytes = Buffer.concat(this.#pieces.splice(0));
    this.#bound.holds(-this.#kept);
    const size = this.#size;
    const cut = size > this.#kept ? `the first ${this.#kept} bytes` : null;
    if (this.#found.length === 0 && this.#withheld === 0) return { bytes, size, note: cut };
    const plain = this.#withheld > 0 && this.#isCoded ? null : await this.#decoded(bytes);
    if (plain === null)
      return { bytes: Buffer.alloc(0), size, note: 'withheld: what was found in it cannot be cut out' };
    const notes = [cut, this.#isCoded ? 'content coding undone' : null, 'without what was found in it'];
    return { bytes: this.#clean(plain), size, note: notes.filter((note) => note !== null).join(', ') };
  }

  get #isCoded(): boolean {
    return this.#codings === null || this.#codings.length > 0;
  }

  #clean(plain: Buffer): Buffer {
    const clean = redact(
      plain,
      this.#found.filter(({ offset }) => offset >= this.#withheld && offset < plain.length),
      false,
    ) as Buffer;
    if (this.#withheld === 0) return clean;
    // Nothing before it was taken out: findings there are withheld with all the rest.
    return Buffer.concat([Buffer.from(WITHHELD), clean.subarray(Math.min(this.#withheld, clean.length))]);
  }

  /** What its codings hide; null where they cannot be undone, as where it was cut. */
  async #decoded(bytes: Buffer): Promise<Buffer | null> {
    if (this.#codings === null) return null;
    if (this.#codings.length === 0) return bytes;
    try {
      return await decodeContent([bytes], this.#codings, this.#bound.limit * EXPANSION);
    } catch {
      return null;
    }
  }
}

function mintTranscribedBody(body: Omit<HeldBody, symbol>): TranscribedBody {
  return body as TranscribedBody;
}

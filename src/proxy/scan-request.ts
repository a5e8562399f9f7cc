import { END_TO_END, TO_UPSTREAM } from '../http1/fields.ts';
import { Denial } from '../model/denial.ts';
import type { Facts } from '../model/facts.ts';
import type { Finding } from '../model/finding.ts';
import { parseMediaType } from '../policy/content/text.ts';
import { contentCodings, decodeContent, type Coding } from '../scan/content-decoder.ts';
import { redact } from '../scan/redact.ts';
import { NoveltyMeter } from '../scan/novelty.ts';
import type { HeldBody } from './body.ts';
import { BodyPiece } from './body-piece.ts';
import type { TranscribedBody } from './transcript.ts';
import type { Exchange } from './exchange.ts';
import { FieldsPiece, TargetPiece } from './head-pieces.ts';
import { Inspection, unseen } from './inspection.ts';
import type { AgentRequest } from './message.ts';
import { NovelStream, countNovel } from './novel-upload.ts';
import { both } from './pause.ts';
import type { Permit } from './permit.ts';
import { scanHost, watchTarget } from './scan-host.ts';
import { scanPieces, type Piece } from './scan-pieces.ts';
import { ScannedStream } from './scanned-stream.ts';
import type { Services } from './services.ts';

declare const scanned: unique symbol;

/** Proof that what is about to leave has been looked at, or that its rules say it need not be. Made only here. */
export interface ScannedBody extends Omit<HeldBody, symbol> {
  /** Something was taken out of it: what was said of its bytes is not true of these. */
  readonly redacted: boolean;
  readonly [scanned]: true;
}

/** Bytes a body may decode to, for the scanner, beside its own length. */
const EXPANSION = 64;
const EXPANSION_FLOOR = 16 * 1024 * 1024;

/**
 * Looks at everything a request would carry out: path and query, header fields, the body, whatever it is encoded in. Throws
 * the denial where something is found that must not leave.
 */
export function scanRequest(
  request: AgentRequest,
  facts: Facts,
  body: TranscribedBody,
  permit: Permit,
  exchange: Exchange,
  services: Services,
): ScannedBody | Promise<ScannedBody> {
  exchange.trace?.step('scan');
  const inspection = new Inspection(permit, exchange, services);
  exchange.inspection = inspection;
  exchange.unscanned = inspection.unscanned;
  if (inspection.off) return counted({ ...body, redacted: false }, facts, request, exchange, services);
  // The host of a tunnel was looked at before it was resolved; why it was refused is told here, with all facts.
  if (exchange.tunnel?.refusal !== null) scanHost(inspection);
  const head = headOf(request, facts, permit);
  watchTarget(facts, inspection);
  const codings = body.present ? codingsOf(request) : [];
  const done =
    codings === null
      ? passUnseen(head, body, inspection)
      : codings.length === 0
        ? scanHeld(request, head, body, body.pieces, inspection)
        : scanCoded(request, head, body, codings, inspection);
  const end = (held: Held): ScannedBody | Promise<ScannedBody> =>
    counted(finish(held, codings ?? [], inspection), facts, request, exchange, services);
  return done instanceof Promise ? done.then(end) : end(done);
}

function finish({ body, redacted }: Held, codings: readonly Coding[], inspection: Inspection): Scanned {
  const { pieces, size, trailers, announced, present } = body;
  // Spreading objects takes as long as a scan of a hundred bytes.
  if (body.rest === null) return { pieces, size, rest: null, trailers, announced, present, redacted };
  const rest = new ScannedStream(body.rest, codings, inspection, pieces);
  return { pieces: [], size: 0, rest, trailers, announced, present, redacted };
}

type Scanned = Omit<ScannedBody, typeof scanned>;

/** What leaves is counted, where it is limited how much of it may be new. Rejects with the denial. */
function counted(
  body: Scanned,
  facts: Facts,
  request: AgentRequest,
  exchange: Exchange,
  services: Services,
): ScannedBody | Promise<ScannedBody> {
  const { lease } = exchange;
  if (lease === null || !lease.countsNovelty) return mintScannedBody(body);
  const novelty = services.novelties.of(exchange);
  // What never leaves is not known afterwards.
  const meter = (): NoveltyMeter => lease.keeps(new NoveltyMeter(novelty, true));
  const head = `${facts.path.raw}?${facts.query ?? ''}${request.fields.text(TO_UPSTREAM.naming(request.connection))}`;
  const rest = body.rest === null ? null : new NovelStream(body.rest, new NoveltyMeter(novelty, true), lease);
  const fields = Buffer.from(head + body.trailers.text(END_TO_END), 'latin1');
  const due = both(countNovel([fields], meter(), lease), countNovel(body.pieces, meter(), lease));
  const minted = mintScannedBody({ ...body, rest });
  return due === null ? minted : due.then(() => minted);
}

interface Held {
  readonly body: Omit<HeldBody, symbol>;
  readonly redacted: boolean;
}

const JSON_TYPE = 'application/json';

function headOf(request: AgentRequest, facts: Facts, permit: Permit): Piece[] {
  const path = permit.rawPath ? facts.path.raw : (facts.path.canonical ?? facts.path.raw);
  const pieces: Piece[] = [new TargetPiece(facts.query === null ? path : `${path}?${facts.query}`)];
  const lines = request.fields.text(TO_UPSTREAM.naming(request.connection));
  if (lines !== '') pieces.push(new FieldsPiece(lines));
  return pieces;
}

/** Scans a request of which all that is held is at hand; what still streams is scanned on its way. */
function scanHeld(
  request: AgentRequest,
  head: readonly Piece[],
  body: HeldBody,
  pieces: readonly Buffer[],
  inspection: Inspection,
): Held | Promise<Held> {
  if (body.rest !== null || body.size === 0) return scanHead(head, body, inspection);
  const whole = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  const piece = new BodyPiece(whole, mediaTypeOf(request));
  const all: Piece[] = [...head, piece];
  if (body.trailers.size > 0) all.push(new FieldsPiece(body.trailers.text(END_TO_END)));
  const redactions = scanPieces(all, inspection);
  return after(redactions, (found) => {
    if (found.length === 0) return { body, redacted: false };
    const clean = redact(whole, found, piece.form === 'json');
    if (clean !== null) return { body: { ...body, pieces: [clean], size: clean.length }, redacted: true };
    const [first] = found as [Finding];
    inspection.refuse(first, piece.whereOf(first.offset));
    return { body, redacted: false };
  });
}

/** Scans what stands before a body. */
function scanHead(head: readonly Piece[], body: HeldBody, inspection: Inspection): Held | Promise<Held> {
  return after(scanPieces(head, inspection), () => ({ body, redacted: false }));
}

/** What comes of something that may take time, without waiting where it does not. */
function after<T, U>(value: T | Promise<T>, step: (value: T) => U): U | Promise<U> {
  return value instanceof Promise ? value.then(step) : step(value);
}

/** Codings to undo; null where one of them cannot be. */
function codingsOf(request: AgentRequest): readonly Coding[] | null {
  return contentCodings(request.fields.values('content-encoding').map(withoutFraming));
}

/** A body under a coding that cannot be undone is not looked at, and so does not leave, but in a mode that stops nothing. */
function passUnseen(head: readonly Piece[], body: HeldBody, inspection: Inspection): Held | Promise<Held> {
  return after(scanHead(head, body, inspection), (held) => {
    inspection.giveUp(new Denial('scan-budget', 'the content coding of the body is not one the gate can undo'));
    return held;
  });
}

/** `aws-chunked` frames what it carries and hides nothing of it. */
function withoutFraming(value: string): string {
  return value.includes('aws-chunked') ? value.replace(/(^|,)\s*aws-chunked\s*(?=,|$)/gi, '$1identity') : value;
}

function mediaTypeOf(request: AgentRequest): string | null {
  const values = request.fields.values('content-type');
  // Most say just this, and need no parsing.
  return values.length === 1 && values[0] === JSON_TYPE ? JSON_TYPE : (parseMediaType(values)?.essence ?? null);
}

/** The same for a body under content codings: what was redacted leaves without them. */
async function scanCoded(
  request: AgentRequest,
  head: readonly Piece[],
  body: HeldBody,
  codings: readonly Coding[],
  inspection: Inspection,
): Promise<Held> {
  if (body.rest !== null || body.size === 0) return scanHeld(request, head, body, [], inspection);
  const decoded = await decodedOf(body, codings, inspection);
  const held = await scanHeld(request, head, { ...body, size: decoded.length }, [decoded], inspection);
  return held.redacted ? held : { body, redacted: false };
}

async function decodedOf(body: HeldBody, codings: readonly Coding[], inspection: Inspection): Promise<Buffer> {
  try {
    return await decodeContent(body.pieces, codings, body.size * EXPANSION + EXPANSION_FLOOR);
  } catch (error) {
    inspection.giveUp(unseen(error));
    return Buffer.alloc(0);
  }
}

function mintScannedBody(parts: Omit<ScannedBody, typeof scanned>): ScannedBody {
  return parts as ScannedBody;
}

import { setImmediate } from 'node:timers/promises';
import { Denial } from '../model/denial.ts';
import type { Finding } from '../model/finding.ts';
import type { Mode } from '../model/mode.ts';
import type { Reason } from '../model/reason.ts';
import { scanKeyOf, type ScanAction } from '../model/scan-profile.ts';
import { BudgetExceeded } from '../scan/budget.ts';
import { belongs } from '../scan/belongs.ts';
import { CodingError } from '../scan/content-decoder.ts';
import { hashOf, type Fragment } from '../scan/fragments.ts';
import type { Scanner } from '../scan/scanner.ts';
import type { ScannerSource } from '../scan/text/answer-text.ts';
import type { Sequel } from '../scan/trail.ts';
import type { FindingTerms } from './answer-reading.ts';
import type { Exchange } from './exchange.ts';
import type { KnownTexts } from './known-texts.ts';
import type { Permit } from './permit.ts';
import type { Piece } from './scan-pieces.ts';
import type { Services } from './services.ts';
import { soughtBy, type Sought } from './sought.ts';
import type { Transcript } from './transcript.ts';
import type { Memory } from './trails.ts';

/** What was found, what was done about it, and where it stood. On record as it stands here. */
export interface Inspected {
  readonly action: ScanAction;
  readonly detector: string;
  readonly direction: Direction;
  readonly family: Finding['family'];
  readonly fingerprint: string;
  readonly severity: Finding['severity'];
  readonly via: readonly string[];
  readonly where: string;
}

export type Direction = 'to-upstream' | 'to-agent';

/** Where the bytes that were scanned stood: what is at its place in one is not in another. */
export type Part = 'target' | 'fields' | 'body';

/** Findings of one exchange that are on record; more of them say nothing new. */
const MOST = 50;

const NONE: readonly Finding[] = [];
/** What stands for a scan that was not finished. */
const UNDECIDED: readonly Finding[] = [];
/** Bytes that are scanned at once: even the worst of them take no more than a few milliseconds. */
const QUICK = 4 * 1024;
/** Bytes that need a thread of their own, however harmless they are. */
const LARGE = 512 * 1024;
/** Bytes that are scanned between two looks at the clock. */
const SLICE = 4 * 1024;
/** The first of them, which show what the others may be like. */
const FIRST = 1024;
/** Milliseconds that one exchange may hold up all others. */
const PATIENCE = 5;
/** Milliseconds in which nothing is told yet of how long something takes. */
const GLANCE = 0.5;

const REASONS: Readonly<Record<Finding['family'], Reason>> = {
  secrets: 'secret-found',
  'personal-data': 'personal-data-found',
  'registered-values': 'registered-value-found',
  documents: 'registered-value-found',
  exfiltration: 'secret-found',
  'injected-instructions': 'injection-found',
};

/** Where somebody authenticates. */
const AUTHENTICATION =
  /^header (?:authorization|cookie|x-[a-z-]*(?:key|token|auth)[a-z-]*|[a-z-]*api-?key|[a-z-]*token|apikey)$/;

/** Of whom, or of what, something is scanned, and what is noted of that. */
export type Subject = Pick<Exchange, 'agent' | 'session' | 'now' | 'findings' | 'softened' | 'transcript'>;
/** Under which terms. */
export type Terms = Pick<Permit, 'agent' | 'decision' | 'mode' | 'target'>;

/** Judges what is found in one exchange by the profile that holds for it. */
export class Inspection {
  readonly #sought: Sought;
  readonly #exchange: Subject;
  readonly #services: Services;
  readonly #mode: Mode;
  readonly #terms: Terms;
  /** Name of the host it is about. */
  readonly host: string;
  #memory: Memory | null = null;
  #blind = false;
  /** The answer has begun: nothing can be said before it any more. */
  late = false;
  /** Milliseconds worked for this exchange. */
  time = 0;

  constructor(permit: Terms, exchange: Subject, services: Services) {
    this.#sought = soughtBy(permit, exchange.now.policy, services.scanners);
    this.#exchange = exchange;
    this.#services = services;
    this.#mode = permit.mode;
    this.#terms = permit;
    this.host = permit.target.host.text;
  }

  /** Of the exchange under way. */
  static of({ inspection }: Exchange): Inspection {
    if (inspection === null) throw new Error('something came back of a request that nobody looked at');
    return inspection;
  }

  get decision(): Permit['decision'] {
    return this.#terms.decision;
  }

  /** Nothing is to be scanned. Planted credentials are looked for all the same: they are the floor. */
  get off(): boolean {
    return this.#sought.profile.off && !this.#services.scanners.hasCanaries;
  }

  /** The rules say that nothing is scanned, canaries or not. */
  get unscanned(): boolean {
    return this.#sought.profile.off;
  }

  /** Scanners of what an answer says. */
  get textScanners(): ScannerSource {
    return this.#services.scanners.textScanners(this.#exchange.now.policy);
  }

  /** What is looked for in an answer; null: nothing. */
  get answerTerms(): FindingTerms | null {
    return this.#sought.answer;
  }

  /** Writes down what is said; null: nobody does. */
  get transcript(): Transcript | null {
    return this.#exchange.transcript;
  }

  /** What was sent before in the same session. */
  get memory(): Memory {
    return (this.#memory ??= this.#services.trails.of(this.#exchange));
  }

  /** Parts that may go on with others of something in which nothing was found, whoever said it; undefined: it is not known. */
  known(piece: Piece): readonly Fragment[] | undefined {
    return piece.known(this.#knownTexts);
  }

  /** Nothing was found in these. */
  remember(pieces: readonly Piece[]): void {
    if (this.#blind) return;
    for (const piece of pieces) piece.remember(this.#knownTexts);
  }

  get #knownTexts(): KnownTexts {
    return this.#services.scanners.knownTexts(this.#exchange.now.policy);
  }

  /** Puts parts behind what was sent before. */
  sequel(fragments: readonly Fragment[]): Sequel {
    return this.memory.trail.sequel(hashOfHost(this.host), fragments, performance.now());
  }

  /** Notes something that no detector finds in a text, and judges it. */
  report(detector: string, where: string): void {
    const fingerprint = this.#services.scanners.fingerprint(`${detector} ${this.host}`);
    const finding: Finding = {
      detector,
      family: 'exfiltration',
      severity: 'medium',
      offset: 0,
      length: 0,
      via: [],
      belongsTo: [],
      authenticates: false,
      fingerprint,
    };
    this.judge([finding], 'to-upstream', 'target', () => where);
  }

  /** Does a step of a scan on the clock of this exchange. */
  timed(step: () => void): void {
    const began = performance.now();
    try {
      step();
    } finally {
      this.time += performance.now() - began;
    }
  }

  /** Something that came back cannot be read. */
  unread(): void {
    this.#services.metrics.scanBudgetExceeded();
  }

  take(): Scanner {
    return this.#services.scanners.take(this.#exchange.now.policy);
  }

  /** Gives back a scanner whose stream has ended. */
  give(scanner: Scanner): void {
    // One that gave up in the middle is of no use.
    if (this.#blind) return;
    this.#services.scanners.give(this.#exchange.now.policy, scanner);
  }

  /** Something cannot be looked at, and passes all the same, for its mode stops nothing. Nothing more is looked at. */
  get blind(): boolean {
    return this.#blind;
  }

  /** Runs a step of a scan. Throws the denial where it costs too much: what cannot be looked at does not leave. */
  run(step: () => readonly Finding[]): readonly Finding[] {
    if (this.#blind) return NONE;
    const began = performance.now();
    try {
      return step();
    } catch (error) {
      if (!(error instanceof BudgetExceeded)) throw error;
      this.#services.metrics.scanBudgetExceeded();
      this.giveUp(new Denial('scan-budget', error.message, { cause: error }));
      return NONE;
    } finally {
      this.time += performance.now() - began;
    }
  }

  /**
   * Scans bytes as one whole stream: here where that is quick, on a thread of its own where it would hold up everybody else.
   * Throws, or rejects with, the denial where it costs too much.
   */
  scan(bytes: Buffer): readonly Finding[] | Promise<readonly Finding[]> {
    if (this.#blind) return NONE;
    if (bytes.length <= QUICK) return this.#scanHere(bytes);
    const found = bytes.length > LARGE ? null : this.run(() => this.#scanAWhile(bytes) ?? UNDECIDED);
    if (found !== null && found !== UNDECIDED) return found;
    const offloaded = this.#services.scanners.offload(this.#exchange.now.policy, bytes);
    if (offloaded === null) return this.#scanHere(bytes);
    this.#services.metrics.scanOffloaded();
    return offloaded.then(
      ({ findings, milliseconds }) => {
        this.time += milliseconds;
        return findings;
      },
      (error: unknown) =>
        this.run(() => {
          throw error;
        }),
    );
  }

  /** Scans the next bytes of a stream, and lets others have their turn where that takes long. Throws the denial. */
  async scanInTurns(scanner: Scanner, bytes: Buffer): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    let end = performance.now() + PATIENCE;
    for (let at = 0; at < bytes.length; at += SLICE) {
      findings.push(...this.run(() => scanner.push(bytes.subarray(at, at + SLICE))));
      if (performance.now() < end) continue;
      await setImmediate();
      end = performance.now() + PATIENCE;
    }
    return findings;
  }

  #scanHere(bytes: Buffer): readonly Finding[] {
    const scanner = this.take();
    const found = this.run(() => scanner.wholeBytes(bytes));
    this.give(scanner);
    return found;
  }

  /** Scans for as long as nobody minds; null where that is not long enough. */
  #scanAWhile(bytes: Buffer): readonly Finding[] | null {
    const scanner = this.take();
    const began = performance.now();
    const findings: Finding[] = [];
    for (let at = 0, to = FIRST; at < bytes.length; at = to, to += SLICE) {
      findings.push(...scanner.push(bytes.subarray(at, to)));
      const spent = performance.now() - began;
      // What begins like this goes on like this. One that is left in the middle is of no more use.
      const dear = spent > PATIENCE || (spent > GLANCE && (spent / to) * bytes.length > PATIENCE);
      if (dear && to < bytes.length) return null;
    }
    findings.push(...scanner.end());
    this.give(scanner);
    return findings;
  }

  /** What cannot be looked at does not leave: throws, but in a mode that stops nothing, and where nothing is planted. */
  giveUp(denial: Denial): void {
    if (this.#mode === 'enforce' || this.#services.scanners.hasCanaries) throw denial;
    this.#exchange.softened ??= { reason: denial.reason, detail: denial.message };
    this.#blind = true;
  }

  /**
   * Judges findings; returns those that are to be redacted. Throws the denial for those that must not pass, unless the mode
   * lets them.
   */
  judge(
    findings: readonly Finding[],
    direction: Direction,
    part: Part,
    whereOf: (offset: number) => string,
  ): readonly Finding[] {
    const redactions: Finding[] = [];
    for (const finding of findings) {
      const where = whereOf(finding.offset);
      const action = this.#actionOn(finding, direction, part, where);
      if (action === null) continue;
      this.#note({ ...finding, action, direction, where });
      if (action === 'redact') redactions.push(finding);
      if (action === 'deny') this.#deny(finding, where);
    }
    return redactions;
  }

  /** Refuses what should have been redacted and cannot be. */
  refuse(finding: Finding, where: string): void {
    this.#deny(finding, where);
  }

  #actionOn(finding: Finding, direction: Direction, part: Part, where: string): ScanAction | null {
    if (isCanary(finding)) return 'deny';
    const key = this.#sought.profile.off ? null : scanKeyOf(finding.family, direction);
    if (key === null) return null;
    const action = this.#sought.profile.action(finding.detector, key);
    if (action === 'off') return null;
    if (direction === 'to-upstream' ? this.#isAtHome(finding, part, where) : this.#isItsOwn(finding)) return null;
    // What only may be wrong is told of, and stops nobody.
    if (finding.severity === 'low' || (action === 'annotate' && this.late)) return 'alert';
    return action === 'redact' && part !== 'body' ? 'deny' : action;
  }

  /** Whoever makes a credential tells it. */
  #isItsOwn({ belongsTo, authenticates }: Finding): boolean {
    return authenticates || (belongsTo.length > 0 && belongs(this.host, belongsTo));
  }

  /** A credential on its way to whom it belongs, where credentials stand. */
  #isAtHome({ belongsTo, authenticates }: Finding, part: Part, where: string): boolean {
    if (authenticates && AUTHENTICATION.test(where)) return true;
    if (belongsTo.length === 0) return false;
    if (part === 'body') return where.startsWith('field ') && belongs(this.host, belongsTo);
    return belongs(this.host, belongsTo);
  }

  #deny(finding: Finding, where: string): void {
    const { family, detector } = finding;
    const reason = REASONS[family];
    const detail = `${family} in ${where} (${detector})`;
    if (this.#mode === 'enforce' || isCanary(finding)) throw new Denial(reason, detail);
    this.#exchange.softened ??= { reason, detail };
  }

  #note({ action, detector, direction, family, fingerprint, severity, via, where }: Inspected): void {
    const noted = (this.#exchange.findings ??= []);
    if (noted.some((each) => each.fingerprint === fingerprint && each.detector === detector && each.where === where))
      return;
    if (noted.length < MOST) noted.push({ action, detector, direction, family, fingerprint, severity, via, where });
    this.#services.metrics.found({ family, action, direction, agent: this.#exchange.agent });
  }
}

/** The host that was asked about last, mostly the one that is asked about next. */
let lastHost = '';
let lastHash = 0;

function hashOfHost(host: string): number {
  if (host !== lastHost) {
    const bytes = Buffer.from(host, 'latin1');
    lastHost = host;
    lastHash = hashOf(bytes, 0, bytes.length, 0);
  }
  return lastHash;
}

/** A planted credential: nobody has a reason to send it anywhere, in any mode. */
function isCanary({ detector }: Finding): boolean {
  return detector.startsWith('canary:');
}

/** Why a body under content codings cannot be looked at. Throws what is no fault of the body. */
export function unseen(error: unknown): Denial {
  if (!(error instanceof CodingError)) throw error;
  if (error.tooLarge) return new Denial('scan-budget', 'the body decodes to more than is looked at', { cause: error });
  return new Denial('request-malformed', 'the content coding of the body is damaged', { cause: error });
}

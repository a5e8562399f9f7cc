import { createHmac } from 'node:crypto';
import type { Finding } from '../model/finding.ts';
import { Budget } from './budget.ts';
import type { Detector } from './detector.ts';
import type { Engine } from './engine.ts';
import { entropyOf, isPlaceholder } from './plausible.ts';
import type { View } from './view.ts';

/** Findings that are remembered, so that what is found in two ways is told of once. Beyond them it may be told of again. */
const MOST = 1000;
/** Work of a finding: its fingerprint. */
const COST = 500;
/** Characters by which random text is told from other text, where the shortest match is shorter. */
const SAMPLE = 24;
const MAX_TEXT = 4096;
const NONE: readonly Finding[] = [];

/** What all views of one scanner share: the detectors, the work they may do, and what they have found. */
export class Context {
  readonly engine: Engine;
  readonly budget = new Budget();
  /** Views that share this: one for each way of reading that was ever needed. */
  readonly views: View[] = [];
  /** Compressed streams that are under way in all of them. */
  streams = 0;
  readonly #key: Buffer;
  #findings: Finding[] = [];
  #seen = new Set<string>();
  /** Different matches of detectors that count them. */
  readonly #counted = new Map<string, Set<string>>();

  /** Different prints that were met, by document. */
  readonly #prints = new Map<string, Set<number>>();

  /** `key`: fingerprints are made with it. */
  constructor(engine: Engine, key: Buffer) {
    this.engine = engine;
    this.#key = key;
  }

  /** Takes what has been found since it was last taken. */
  take(): readonly Finding[] {
    const findings = this.#findings;
    // What is handed out is never added to.
    if (findings.length === 0) return NONE;
    this.#findings = [];
    return findings;
  }

  reset(): void {
    this.budget.reset();
    if (this.#prints.size > 0) this.#prints.clear();
    if (this.#seen.size === 0 && this.#counted.size === 0) return;
    this.#findings = [];
    this.#seen.clear();
    this.#counted.clear();
  }

  /** A pattern matched the indices [from, to) of a view: checks the rest of what its detector asks. */
  match(detector: Detector, view: View, from: number, to: number): void {
    const { spec, validators, least } = detector;
    const text = Buffer.from(view.bytes.buffer, from, Math.min(to - from, MAX_TEXT)).toString('latin1');
    this.budget.spend(text.length * 4);
    // Whatever an agent writes behind a secret makes it no less of one.
    if (spec.entropy > 0 && entropyOf(text.slice(0, Math.max(least, SAMPLE))) < spec.entropy) return;
    if (spec.placeholders && isPlaceholder(text.slice(0, least))) return;
    if (spec.allow.length > 0) {
      const folded = text.toLowerCase();
      if (spec.allow.some((each) => folded.includes(each))) return;
    }
    if (!validators.every((valid) => valid(text))) return;
    this.report(detector.spec, view, from, to, text);
  }

  /** Something was found at the indices [from, to) of a view. `text` is what its fingerprint is of. */
  report(spec: Detector['spec'], view: View, from: number, to: number, text: string): void {
    if (spec.count > 1 && !this.#enough(spec, text)) return;
    this.budget.spend(COST);
    const fingerprint = createHmac('sha256', this.#key).update(text, 'latin1').digest('hex').slice(0, 16);
    const offset = view.sourceOf(view.base + from);
    const end = view.parent === null ? view.base + to : view.sourceOf(view.base + to - 1) + 1;
    const once = `${spec.name} ${fingerprint} ${offset}`;
    if (this.#seen.has(once)) return;
    // Nothing is left out for being one too many: what hides behind a thousand others is found as they are.
    if (this.#seen.size >= MOST) this.#seen.clear();
    this.#seen.add(once);
    this.#findings.push({
      detector: spec.name,
      family: spec.family,
      severity: spec.severity,
      offset,
      length: end - offset,
      via: view.via,
      belongsTo: spec.belongsTo,
      authenticates: spec.authenticates,
      fingerprint,
    });
  }

  /** Counts a print of a document; true for the one that makes as many as are a part of it. */
  countPrint(document: string, print: number, enough: number): boolean {
    const prints = this.#prints.get(document) ?? new Set();
    this.#prints.set(document, prints);
    if (prints.has(print) || prints.size >= enough) return false;
    prints.add(print);
    return prints.size === enough;
  }

  /** Counts different matches; true for the one that makes as many as are a finding. */
  #enough({ name, count }: Detector['spec'], match: string): boolean {
    const matches = this.#counted.get(name) ?? new Set();
    this.#counted.set(name, matches);
    if (matches.size >= count) return false;
    matches.add(match);
    return matches.size === count;
  }
}

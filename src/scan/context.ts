import { createHmac } from 'node:crypto';
import type { Finding } from '../model/finding.ts';
import { Budget } from './budget.ts';
import type { Detector } from './detector.ts';
import type { Engine } from './engine.ts';
import { entropyOf, isPlaceholder } from './plausible.ts';
import type { View } from './view.ts';

/** Findings of one stream that are told of; more of them say nothing new. */
const MOST = 1000;
const MAX_TEXT = 4096;
const NONE: readonly Finding[] = [];

/** What all views of one scanner share: the detectors, the work they may do, and what they have found. */
export class Context {
  readonly engine: Engine;
  readonly budget = new Budget();
  /** Views that share this: one for each way of reading that was ever needed. */
  readonly views: View[] = [];
  readonly #key: Buffer;
  #findings: Finding[] = [];
  #seen = new Set<string>();
  /** Different matches of detectors that count them. */
  readonly #counted = new Map<string, Set<string>>();

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

  get found(): boolean {
    return this.#findings.length > 0;
  }

  reset(): void {
    this.budget.reset();
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
    if (spec.entropy > 0 && entropyOf(text) < spec.entropy) return;
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
    if (spec.count > 1 && (this.#seen.has(spec.name) || !this.#enough(spec, text))) return;
    const fingerprint = createHmac('sha256', this.#key).update(text, 'latin1').digest('hex').slice(0, 16);
    const offset = view.sourceOf(view.base + from);
    const end = view.parent === null ? view.base + to : view.sourceOf(view.base + to - 1) + 1;
    const once = spec.count > 1 ? spec.name : `${spec.name} ${fingerprint} ${offset}`;
    if (this.#seen.has(once) || this.#seen.size >= MOST) return;
    this.#seen.add(once);
    this.#findings.push({
      detector: spec.name,
      family: spec.family,
      severity: spec.severity,
      offset,
      length: end - offset,
      via: view.via,
      belongsTo: spec.belongsTo,
      fingerprint,
    });
  }

  /** Counts different matches; true when they have become as many as make a finding. */
  #enough({ name, count }: Detector['spec'], match: string): boolean {
    const matches = this.#counted.get(name) ?? new Set();
    this.#counted.set(name, matches);
    if (matches.size < count) matches.add(match);
    return matches.size >= count;
  }
}

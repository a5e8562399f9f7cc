import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ScanProfile, scanKeyOf } from '../../src/model/scan-profile.ts';
import type { Finding } from '../../src/model/finding.ts';
import { loadDetectors } from '../../src/policy/load.ts';
import { BudgetExceeded } from '../../src/scan/budget.ts';
import { compileEngine, warm } from '../../src/scan/engine.ts';
import { Scanner } from '../../src/scan/scanner.ts';
import { ENCODINGS } from '../support/encodings.ts';
import { fillIn, randomOf } from '../support/samples.ts';
import { CONTEXTS } from './contexts.ts';
import { corpus } from './corpus.ts';

const FIXTURES = 'test/fixtures/detectors';
/** What does hold what its finding says: keys, hashes and phrases that somebody published as examples, passwords of our own tests. */
const KNOWN =
  /libxmlsec1-dev\/examples\/rsakey\.pem|passlib\/tests\/|@scure\/bip39\/(?:src\/)?index\.|jose4j-[0-9.]+\.jar|bin\/age-keygen|git pack of this repository/;
/** Pairs of decoders each detector is tried through. */
const PAIRS = 20;
const SHARE = 0.998;

const detectors = loadDetectors('rules/detectors').filter(({ family }) => family !== 'injected-instructions');
const engine = compileEngine(detectors);
warm(engine);
const scanner = new Scanner(engine, Buffer.alloc(32, 1));
const profile = new ScanProfile([]);

/** Whether a profile as it ships would refuse for this finding. */
function denies({ detector, family, severity }: Finding): boolean {
  const key = scanKeyOf(family, 'to-upstream');
  return key !== null && severity !== 'low' && profile.action(detector, key) === 'deny';
}

function finds(name: string, bytes: Buffer): boolean {
  return scanner.wholeBytes(bytes).some(({ detector }) => detector === name);
}

/** Encodings that make bytes of text, those that make characters beyond ASCII, and those that take characters of ASCII alone. */
const BYTES = /^(?:gzip|deflate|UTF)(?!.* in base64)/;
const BEYOND_ASCII = /letters|look-alikes|zero-width|combining/;
const CHARACTERS = /entities|JSON escapes|braced|percent in part|percent twice/;
const ASCII = /letters|look-alikes|zero-width|combining|UTF|quoted|soft|octal|JavaScript/;

function fitTogether(inner: string, outer: string): boolean {
  if (BYTES.test(inner)) return !CHARACTERS.test(outer) && !ASCII.test(outer);
  return !(BEYOND_ASCII.test(inner) && ASCII.test(outer)) && depthOf(inner) + depthOf(outer) <= 4;
}

/** Layers an encoding has by itself. */
function depthOf(encoding: string): number {
  if (encoding === 'as it is') return 0;
  if (/three times|base64 in gzip in base64/.test(encoding)) return 3;
  return / of |in base64$|twice|percent-encoded/.test(encoding) ? 2 : 1;
}

/** Every hit of a detector, with what it is called. */
function hitsOf(name: string): string[] {
  return readdirSync(`${FIXTURES}/${name}`)
    .filter((file) => file.startsWith('hit.'))
    .map((file) => readFileSync(`${FIXTURES}/${name}/${file}`, 'utf8').trimEnd());
}

class Tally {
  tried = 0;
  readonly missed = new Map<string, number>();

  add(found: boolean, what: string): void {
    this.tried++;
    if (!found) this.missed.set(what, (this.missed.get(what) ?? 0) + 1);
  }

  get share(): number {
    return 1 - [...this.missed.values()].reduce((sum, count) => sum + count, 0) / this.tried;
  }

  report(title: string): void {
    const worst = [...this.missed].sort((a, b) => b[1] - a[1]).slice(0, 25);
    lines.push(`${title}: ${(this.share * 100).toFixed(3)} % of ${this.tried} found`);
    for (const [what, count] of worst) lines.push(`  missed ${count} × ${what}`);
  }
}

const lines: string[] = [];
const say = (): void => {
  process.stdout.write(`${lines.join('\n')}\n`);
  if (process.env['QUALITY_REPORT'] !== undefined)
    writeFileSync(process.env['QUALITY_REPORT'], `${lines.join('\n')}\n`, { flag: 'a' });
  lines.length = 0;
};

describe('quality', () => {
  it('finds what is made up anew of every kind, in every context', () => {
    const tally = new Tally();
    let seed = 1000;
    for (const { name } of detectors)
      for (const template of hitsOf(name))
        for (const [context, wrap] of CONTEXTS)
          tally.add(finds(name, Buffer.from(wrap(fillIn(template, seed++)))), `${name} in ${context}`);
    tally.report('in contexts');
    say();
    expect(tally.share).toBeGreaterThanOrEqual(SHARE);
  });

  it('finds it through every decoder, and through pairs of them', () => {
    const one = new Tally();
    const two = new Tally();
    const random = randomOf(99);
    const any = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    let seed = 5000;
    for (const { name } of detectors) {
      const hits = hitsOf(name);
      // Base58 is for short texts: what it costs grows with the square.
      const fits = (encoding: string, text: string): boolean => encoding !== 'base58' || text.length <= 700;
      const made = (): string =>
        Buffer.from(any(CONTEXTS.slice(0, 8))[1](fillIn(any(hits), seed++))).toString('latin1');
      for (const [encoding, encode] of ENCODINGS) {
        const text = made();
        if (fits(encoding, text))
          one.add(finds(name, Buffer.from(`before ${encode(text)} behind`, 'latin1')), `${name} ${encoding}`);
      }
      for (let pair = 0; pair < PAIRS; pair++) {
        const [[inner, first], [outer, second]] = [any(ENCODINGS), any(ENCODINGS)];
        const plain = made();
        const text = first(plain);
        // Neither makes sense: characters of bytes that are none, and more layers than are looked into.
        if (!fitTogether(inner, outer) || !fits(inner, plain) || !fits(outer, text)) continue;
        two.add(finds(name, Buffer.from(`before ${second(text)} behind`, 'latin1')), `${inner}, then ${outer}`);
      }
    }
    one.report('through one decoder');
    two.report('through two decoders');
    say();
    expect(Math.min(one.share, two.share)).toBeGreaterThanOrEqual(SHARE);
  });

  it('refuses nothing of what is harmless', () => {
    const denied: string[] = [];
    const known = new Set<string>();
    const alerts = new Map<string, number>();
    let bytes = 0;
    let time = 0;
    let reader = scanner;
    for (const { name, bytes: content } of corpus()) {
      bytes += content.length;
      const began = performance.now();
      try {
        for (const finding of reader.wholeBytes(content)) {
          if (denies(finding) && KNOWN.test(name)) known.add(name);
          else if (denies(finding))
            denied.push(`${finding.detector} in ${name} at ${finding.offset} ${finding.via.join('>')}`);
          else if (finding.severity !== 'low') alerts.set(finding.detector, (alerts.get(finding.detector) ?? 0) + 1);
        }
      } catch (error) {
        if (!(error instanceof BudgetExceeded)) throw error;
        denied.push(`scan-budget in ${name}`);
        reader = new Scanner(engine, Buffer.alloc(32, 1));
      }
      time += performance.now() - began;
    }
    const megabytes = bytes / 1e6;
    lines.push(
      `benign: ${denied.length} denials in ${megabytes.toFixed(0)} MB, ${((megabytes / time) * 1000).toFixed(0)} MB/s`,
    );
    lines.push(`  true ones: ${[...known].join(', ')}`);
    lines.push(...denied.slice(0, 150).map((each) => `  ${each}`));
    lines.push(`  alerts: ${[...alerts].map(([detector, count]) => `${count} × ${detector}`).join(', ')}`);
    say();
    expect(denied).toEqual([]);
  });
});

import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DetectorSpec } from '../model/detector.ts';
import { errorCode } from '../model/error-code.ts';
import type { Policy } from '../policy/policy.ts';
import type { Documents } from '../scan/document-index.ts';
import type { Registered } from '../scan/registered.ts';
import { KnownTexts } from './known-texts.ts';
import { ScanOffload, type Scan } from './scan-offload.ts';
import type { Watched } from './watched.ts';
import { compileEngine, warm, type Engine } from '../scan/engine.ts';
import { textReadersOf } from '../scan/readers/list.ts';
import { Scanner } from '../scan/scanner.ts';
import type { ScannerSource } from '../scan/text/answer-text.ts';
import { Screen } from '../scan/text/screen.ts';

/** Scanners that are kept for the next exchange. */
const POOL = 32;
/** One that has grown larger than this, in views of 40 KiB, is let go. */
const VIEWS = 24;

/**
 * Engines by the detectors of their rules: most rules have none of their own, and share one. So do all gates of a process, but
 * for the values that are registered with each.
 */
let engines = new Map<string, Engines>();

/** What looks through bytes on their way out, and through what answers say. */
interface Engines {
  readonly bytes: Engine;
  readonly text: Engine;
  /** Tells answers in which `text` would find nothing. */
  readonly screen: Screen | null;
}

/** Scanners for exchanges, and the detectors they look for: those that ship, and those of the rules in force. */
export class Scanners {
  readonly #shipped: () => readonly DetectorSpec[];
  readonly #registry: Watched<Registered>;
  readonly #documents: Watched<Documents>;
  readonly #key: Buffer;
  readonly #offload: ScanOffload;
  readonly #engines = new WeakMap<Policy, Engines>();
  readonly #idle = new Map<Engine, Scanner[]>();
  readonly #known = new Map<Engine, KnownTexts>();
  readonly #textSources = new WeakMap<Engine, ScannerSource>();

  /** `shipped` reads the detectors that ship; `key`: fingerprints of findings are made with it. */
  constructor(
    shipped: () => readonly DetectorSpec[],
    registry: Watched<Registered>,
    documents: Watched<Documents>,
    key: Buffer,
  ) {
    this.#shipped = shipped;
    this.#registry = registry;
    this.#documents = documents;
    this.#key = key;
    this.#offload = new ScanOffload(key);
  }

  /** Whether fake credentials are planted, which are looked for whatever the rules say. */
  get hasCanaries(): boolean {
    return this.#registry.current.hasCanaries;
  }

  /** Scans bytes on a thread of their own; null where there is none to be had. Rejects with BudgetExceeded. */
  offload(policy: Policy, bytes: Buffer): Promise<Scan> | null {
    return ScanOffload.available ? this.#offload.scan(this.enginesOf(policy).bytes, bytes) : null;
  }

  /** What stands for a text in findings. */
  fingerprint(text: string): string {
    return createHmac('sha256', this.#key).update(text, 'latin1').digest('hex').slice(0, 16);
  }

  close(): void {
    this.#registry.close();
    this.#documents.close();
    this.#offload.close();
  }

  /** All detectors under these rules, compiled once. */
  enginesOf(policy: Policy): Engines {
    let both = this.#engines.get(policy);
    if (both === undefined) this.#engines.set(policy, (both = this.#enginesFor(policy.detectors)));
    return both;
  }

  /** Texts in which nothing was found, by the detectors of these rules and all that is registered now. */
  knownTexts(policy: Policy): KnownTexts {
    const { bytes } = this.enginesOf(policy);
    let known = this.#known.get(bytes);
    if (known === undefined) this.#known.set(bytes, (known = new KnownTexts()));
    return known.under(this.#registry.current, this.#documents.current);
  }

  take(policy: Policy): Scanner {
    const { bytes } = this.enginesOf(policy);
    return this.#idle.get(bytes)?.pop() ?? new Scanner(bytes, this.#key);
  }

  /** Gives back a scanner whose stream has ended; one that failed or was left in the middle is not given back. */
  give(policy: Policy, scanner: Scanner): void {
    this.#keep(this.enginesOf(policy).bytes, scanner);
  }

  /** Scanners of what a text says. */
  textScanners(policy: Policy): ScannerSource {
    const { text, screen } = this.enginesOf(policy);
    let source = this.#textSources.get(text);
    if (source === undefined) {
      const take = (): Scanner => this.#idle.get(text)?.pop() ?? new Scanner(text, this.#key, textReadersOf);
      source = { take, give: (scanner) => this.#keep(text, scanner), screen };
      this.#textSources.set(text, source);
    }
    return source;
  }

  #keep(engine: Engine, scanner: Scanner): void {
    const idle = this.#idle.get(engine) ?? [];
    if (idle.length >= POOL || scanner.size > VIEWS) return;
    this.#idle.set(engine, idle);
    idle.push(scanner);
  }

  #enginesFor(own: readonly DetectorSpec[]): Engines {
    const key = JSON.stringify(own);
    let compiled = engines.get(key);
    if (compiled === undefined) {
      // A later definition of the same name stands in place of the shipped one.
      compiled = compileBoth([...this.#shipped(), ...own]);
      // Of rules that are no longer in force nothing is kept but what a rollback may need.
      engines = new Map([...[...engines].slice(-3), [key, compiled]]);
    }
    // Scanners of rules that are gone are let go with their engine.
    if (this.#idle.size > 4) this.#idle.clear();
    if (this.#known.size > 4) this.#known.clear();
    return { ...compiled, bytes: { ...compiled.bytes, registered: this.#registry, documents: this.#documents } };
  }
}

function compileBoth(specs: readonly DetectorSpec[]): Engines {
  const ofText = specs.filter(isOfText);
  const text = compileEngine(ofText);
  const bytes = compileEngine(specs.filter((spec) => !isOfText(spec)));
  warm(text);
  warm(bytes);
  return { text, bytes, screen: Screen.of(ofText) };
}

function isOfText({ family }: DetectorSpec): boolean {
  return family === 'injected-instructions';
}

const KEY_SIZE = 32;

/** The key of fingerprints, from a file that only this user reads; made where there is none. All processes of a gate share it. */
export function scanKey(path: string): Buffer {
  if (existsSync(path)) return readKey(path);
  const made = randomBytes(KEY_SIZE);
  // Written beside and linked: whoever else makes one at this moment finds all of it or nothing.
  const beside = `${path}.${made.toString('hex', 0, 4)}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(beside, made.toString('base64url'), { mode: 0o600, flag: 'wx' });
  try {
    linkSync(beside, path);
    return made;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  } finally {
    unlinkSync(beside);
  }
  return readKey(path);
}

function readKey(path: string): Buffer {
  const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url');
  if (key.length !== KEY_SIZE)
    throw new Error(`${path} does not hold the key of the scanner: move it away to get a new one`);
  return key;
}

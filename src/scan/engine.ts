import type { DetectorSpec, Finder } from '../model/detector.ts';
import { compileDetector, type Detector, type Variant } from './detector.ts';
import { emptySet, type ByteSet } from '../pattern/byte-set.ts';
import { Documents } from './document-index.ts';
import { Kernel } from './kernel.ts';
import { tablesOf, type Literal } from './kernel-tables.ts';
import { Registered } from './registered.ts';
import { VALIDATORS } from './validators/list.ts';

/** Bytes read at a time. */
export const SLICE = 32 * 1024;
/** Bytes of a view that are looked at together: those that were still to be read when there was room for no more. */
const MOST_SCANNED = 2 * SLICE;

/** What must be decoded from where a literal stands: the format, and how far before the literal's end it begins. */
export interface Opening {
  readonly format: 'gzip' | 'zlib' | 'zstd' | 'zip';
  readonly length: number;
}

/** What is to be looked at where a literal ends. */
export interface Target extends Literal {
  readonly length: number;
  readonly variants: readonly Variant[];
  readonly openings: readonly Opening[];
}

/** All detectors in force, compiled: their literals, and what confirms hits of them. Shared by all scanners of a thread. */
export interface Engine {
  /** Finds the literals. What it found in a slice is worked off before anything else is scanned. */
  readonly kernel: Kernel;
  /** By literal. */
  readonly targets: readonly Target[];
  readonly variants: readonly Variant[];
  readonly detectors: ReadonlyMap<string, DetectorSpec>;
  /** Values of one's own, as they are registered now. */
  readonly registered: { readonly current: Registered };
  /** Documents of one's own, as they are known now. */
  readonly documents: { readonly current: Documents };
  /** What finders report to. */
  readonly finders: ReadonlyMap<Finder, Detector>;
}

/** Containers that say what they are. zlib has several levels, and so several beginnings (RFC 1950 §2.2). */
const OPENINGS: ReadonlyArray<readonly [string, Opening['format']]> = [
  ['\x1f\x8b\x08', 'gzip'],
  ['\x78\x01', 'zlib'],
  ['\x78\x5e', 'zlib'],
  ['\x78\x9c', 'zlib'],
  ['\x78\xda', 'zlib'],
  ['\x28\xb5\x2f\xfd', 'zstd'],
  ['PK\x03\x04'.toLowerCase(), 'zip'],
];

const NOTHING_REGISTERED = { current: new Registered([], Buffer.alloc(32)) };
const NO_DOCUMENTS = { current: new Documents([], Buffer.alloc(32)) };

/** Compiles detectors. Throws PatternError. */
export function compileEngine(
  specs: Iterable<DetectorSpec>,
  registered: Engine['registered'] = NOTHING_REGISTERED,
  documents: Engine['documents'] = NO_DOCUMENTS,
): Engine {
  const detectors = new Map([...specs].map((spec) => [spec.name, spec]));
  const variants = [...detectors.values()].flatMap(compileDetector);
  const byLiteral = new Map<string, Literal & { length: number; variants: Variant[]; openings: Opening[] }>();
  const at = (text: string): { next: ByteSet; variants: Variant[]; openings: Opening[] } => {
    let target = byLiteral.get(text);
    if (target === undefined)
      byLiteral.set(text, (target = { text, next: emptySet(), length: text.length, variants: [], openings: [] }));
    return target;
  };
  for (const variant of variants)
    for (const [index, literal] of variant.literals.entries()) {
      const target = at(literal);
      target.variants.push(variant);
      for (const [byte, may] of (variant.next[index] as ByteSet).entries()) if (may === 1) target.next[byte] = 1;
    }
  for (const [text, format] of OPENINGS) {
    const target = at(text);
    target.openings.push({ format, length: text.length });
    target.next.fill(1);
  }
  const targets = [...byLiteral.values()];
  return {
    kernel: new Kernel(tablesOf(targets), MOST_SCANNED),
    targets,
    variants,
    detectors,
    registered,
    documents,
    finders: findersOf(detectors.values()),
  };
}

function findersOf(specs: Iterable<DetectorSpec>): ReadonlyMap<Finder, Detector> {
  const finders = new Map<Finder, Detector>();
  for (const spec of specs)
    if (spec.finder !== null)
      finders.set(spec.finder, { spec, validators: spec.validate.map((name) => VALIDATORS[name]), least: 0 });
  return finders;
}

/** Has every matcher make its first states, so that the first request does not pay for them. */
export function warm(engine: Engine): void {
  const sample = new TextEncoder().encode(`{"a": "b", 'c' = d0}\n${'Ab0-_/+='.repeat(8)} `);
  for (const { from, before, value } of engine.variants) {
    from.find(sample, 0, sample.length, 0, true);
    before?.findBack(sample, sample.length, 0, 0, true);
    value?.findBack(sample, sample.length, 0, 0, true);
  }
}

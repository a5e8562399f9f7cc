import type { DetectorSpec, Finder } from '../model/detector.ts';
import { Automaton, makeHits, type Hits } from './automaton.ts';
import { compileDetector, type Detector, type Variant } from './detector.ts';
import { Documents } from './document-index.ts';
import { Registered } from './registered.ts';
import { VALIDATORS } from './validators/list.ts';

/** Bytes read at a time. */
export const SLICE = 32 * 1024;

/** What must be decoded from where a literal stands: the format, and how far before the literal's end it begins. */
export interface Opening {
  readonly format: 'gzip' | 'zlib' | 'zstd' | 'zip';
  readonly length: number;
}

/** What is to be looked at where a literal ends. */
export interface Target {
  readonly length: number;
  readonly variants: readonly Variant[];
  readonly openings: readonly Opening[];
}

/** All detectors in force, compiled: one automaton, and what confirms its hits. Shared by all scanners of a thread. */
export interface Engine {
  readonly automaton: Automaton;
  /** By literal. */
  readonly targets: readonly Target[];
  readonly variants: readonly Variant[];
  /** Where hits of one slice are put. Worked off before anything else is scanned. */
  readonly hits: Hits;
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
  const byLiteral = new Map<string, { length: number; variants: Variant[]; openings: Opening[] }>();
  const at = (literal: string): { variants: Variant[]; openings: Opening[] } => {
    let target = byLiteral.get(literal);
    if (target === undefined) byLiteral.set(literal, (target = { length: literal.length, variants: [], openings: [] }));
    return target;
  };
  for (const variant of variants) for (const literal of variant.literals) at(literal).variants.push(variant);
  for (const [literal, format] of OPENINGS) at(literal).openings.push({ format, length: literal.length });
  return {
    automaton: new Automaton([...byLiteral.keys()]),
    targets: [...byLiteral.values()],
    variants,
    hits: makeHits(2 * SLICE),
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

/** Has every automaton make its first states, so that the first request does not pay for them. */
export function warm(engine: Engine): void {
  const sample = new TextEncoder().encode(`{"a": "b", 'c' = d0}\n${'Ab0-_/+='.repeat(8)} `);
  for (const { from, before, value } of engine.variants) {
    from.find(sample, 0, sample.length, 0, true);
    before?.findBack(sample, sample.length, 0, 0, true);
    value?.findBack(sample, sample.length, 0, 0, true);
  }
}

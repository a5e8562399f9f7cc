import { isDeepStrictEqual } from 'node:util';
import { plainDetector, type DetectorSpec } from '../../src/model/detector.ts';
import type { Finding } from '../../src/model/finding.ts';
import { compileEngine, type Engine } from '../../src/scan/engine.ts';
import { textReadersOf } from '../../src/scan/readers/list.ts';
import { Scanner } from '../../src/scan/scanner.ts';
import type { Form } from '../../src/scan/text/answer-strings.ts';
import { AnswerText, type TextFinding } from '../../src/scan/text/answer-text.ts';

/** A detector as tests need it: what is not said is as plain as can be. */
export function detector(name: string, pattern: string, more: Partial<DetectorSpec> = {}): DetectorSpec {
  const plain = {
    name,
    family: 'secrets',
    severity: 'high',
    description: '',
    bounds: 'word',
    placeholders: true,
  } as const;
  return plainDetector({ ...plain, pattern, ...more });
}

export const KEY = Buffer.alloc(32, 7);

/** Everything found in a text (Latin-1) or bytes, given at once or cut at some places. What is whole is scanned both ways. */
export function findIn(engine: Engine, input: string | Buffer, cuts: readonly number[] = []): Finding[] {
  const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : input;
  const found = inPieces(engine, bytes, cuts);
  if (cuts.length > 0) return found;
  const whole = sorted(new Scanner(engine, KEY).wholeBytes(bytes));
  // What is found in two ways is told of once, and which way is met first may differ, and with it the place.
  const told = (all: readonly Finding[]): Set<string> =>
    new Set(all.map((each) => `${each.detector} ${each.fingerprint}`));
  if (!isDeepStrictEqual(told(whole), told(found)))
    throw new Error(`found at once ${JSON.stringify(whole)}, and as a stream ${JSON.stringify(found)}`);
  return found;
}

function inPieces(engine: Engine, bytes: Buffer, cuts: readonly number[]): Finding[] {
  const scanner = new Scanner(engine, KEY);
  const places = [0, ...new Set(cuts.filter((cut) => cut > 0 && cut < bytes.length)), bytes.length].sort(
    (a, b) => a - b,
  );
  const found: Finding[] = [];
  for (let i = 1; i < places.length; i++) found.push(...scanner.push(bytes.subarray(places[i - 1], places[i])));
  found.push(...scanner.end());
  return sorted(found);
}

function sorted(found: readonly Finding[]): Finding[] {
  return found.toSorted(
    (a, b) => a.offset - b.offset || (a.detector < b.detector ? -1 : 1) || a.via.length - b.via.length,
  );
}

/** What is found in what a text says, given at once or cut at some places: `detector`, with `hidden` where people do not see it. */
export function saidIn(engine: Engine, form: Form, input: string | Buffer, cuts: readonly number[] = []): string[] {
  const take = (): Scanner => new Scanner(engine, KEY, textReadersOf);
  const text = new AnswerText(form, { take, give: () => undefined, screen: null });
  const bytes = Buffer.from(input);
  const places = [0, ...new Set(cuts.filter((cut) => cut > 0 && cut < bytes.length)), bytes.length].sort(
    (a, b) => a - b,
  );
  const found: TextFinding[] = [];
  for (let i = 1; i < places.length; i++) found.push(...text.push(bytes.subarray(places[i - 1], places[i])));
  found.push(...text.end());
  return found.map(({ detector: name, hidden }) => (hidden ? `${name} hidden` : name)).sort();
}

/** The same, in short: `detector via>via`. */
export function namesIn(engine: Engine, input: string | Buffer, cuts: readonly number[] = []): string[] {
  return findIn(engine, input, cuts).map((each) => [each.detector, ...each.via].join('>'));
}

/** An engine with one kind of token, `tok_` and twenty letters and digits, and one of a name that is assigned. */
export function tokenEngine(): Engine {
  return compileEngine([
    detector('token', 'tok_[A-Za-z0-9]{20}'),
    detector('assigned', '[a-f0-9]{16}', { context: { words: ['acme'], how: 'assigned' } }),
  ]);
}

export const TOKEN = `tok_${'a1B2c3D4e5F6g7H8i9J0'}`;

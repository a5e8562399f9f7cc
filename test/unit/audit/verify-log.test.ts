import { describe, expect, it } from 'vitest';
import { GENESIS, sealLine, sealOf } from '../../../src/audit/chain.ts';
import { signNote } from '../../../src/audit/signed-note.ts';
import { signTombstone, type RemovedSegment } from '../../../src/audit/tombstone.ts';
import { endorsementText } from '../../../src/audit/verify.ts';
import { missing, verifyLane, type CheckedLane, type LaneOptions } from '../../../src/audit/verify-log.ts';
import { makeKey, makeSegment, type Made } from './support.ts';

const { signer, verifier } = makeKey();
const event = (n: number): string => `{"kind":"outcome","n":${n}}`;

const a = makeSegment({ name: 'a', signer, writes: [[event(1), event(2)], 'checkpoint', [event(3)], 'shutdown'] });
const b = makeSegment({ name: 'b', signer, before: a, writes: [[event(4)], 'checkpoint', [event(5)], [event(6)]] });
const c = makeSegment({ name: 'c', signer, before: b, writes: [[event(7)], 'shutdown'] });

function check(made: readonly Made[], keys = [verifier], more: LaneOptions = {}): CheckedLane {
  const texts = new Map(made.map(({ name, text }) => [name, text]));
  const read = (name: string): Iterable<Uint8Array> => {
    const bytes = Buffer.from(texts.get(name) ?? '');
    const half = bytes.length >> 1;
    return [bytes.subarray(0, half), bytes.subarray(half)];
  };
  return verifyLane(
    made.map(({ name }) => name),
    read,
    keys,
    more,
  );
}

const problems = (lane: CheckedLane): string[] =>
  lane.segments.flatMap(({ name, problem, break: broken }) =>
    [broken, problem].flatMap((each) => (each === null ? [] : [`${name}: ${each}`])),
  );

/** A segment with a write replaced, and all seals made anew: what somebody without the key can do. */
function forge(made: Made, from: string, to: string): Made {
  let last = /"continues":"([0-9a-f]{64})"/.exec(made.text)?.[1] ?? '';
  let text = '';
  let lines: string[] = [];
  for (const line of made.text.replace(from, to).trimEnd().split('\n')) {
    if (!line.endsWith('"kind":"seal"}')) {
      lines.push(line);
      continue;
    }
    const joined = lines.map((each) => `${each}\n`).join('');
    last = sealOf(last, Buffer.from(joined));
    text += joined + sealLine(lines.length, last);
    lines = [];
  }
  return { name: made.name, text, last };
}

describe('verifyLane()', () => {
  it('accepts a log as it was written, and counts what is not signed', () => {
    const lane = check([a, b, c]);
    expect(problems(lane)).toEqual([]);
    expect(lane.segments.map(({ events, checkpoints, closed }) => [events, checkpoints.length, closed])).toEqual([
      [6, 2, true],
      [5, 1, false],
      [3, 1, true],
    ]);
    expect([lane.unsigned, check([a, b]).unsigned]).toEqual([0, 2]);
  });

  it('verifies a segment with nothing but its file and the key', () => {
    for (const each of [a, b, c]) expect(problems(check([each], [verifier], { from: each.name }))).toEqual([]);
    expect(problems(check([a, b, c], [verifier], { from: 'b' }))).toEqual([]);
  });

  const cut = (made: Made, to: number): Made => ({ ...made, text: made.text.slice(0, to) });
  const without = (made: Made, line: string): Made => ({ ...made, text: made.text.replace(`${line}\n`, '') });
  const stranger = makeKey('gate');
  it.each<[string, Made[], RegExp]>([
    ['a change', [a, { ...b, text: b.text.replace('"n":4', '"n":9') }, c], /^b: lines 3 to 4: the seal does not fit/],
    [
      'a change with seals made anew',
      [a, forge(b, '"n":4', '"n":9'), c],
      /^b: line 5: the events are not those that were signed|^b: line 5: the seal that was signed/,
    ],
    ['a deletion', [a, without(b, event(4)), c], /^b: .*0 events under a seal for 1/],
    ['a deletion with seals made anew', [a, forge(b, `${event(4)}\n`, ''), c], /^b: /],
    [
      'a reordering',
      [{ ...a, text: a.text.replace(`${event(1)}\n${event(2)}`, `${event(2)}\n${event(1)}`) }],
      /^a: lines 3 to 5/,
    ],
    [
      'a change behind the last checkpoint',
      [a, forge(b, '"n":6', '"n":9'), c],
      /^c: b, which it continues, is not what it was then/,
    ],
    [
      'a truncation of an earlier segment',
      [a, cut(b, b.text.indexOf(event(6))), c],
      /^c: b, which it continues, is not/,
    ],
    [
      'a truncation in the middle of a line',
      [a, cut(b, b.text.length - 9)],
      /^b: line \d+: \d+ bytes behind the last seal/,
    ],
    ['a missing segment', [a, c], /^c: b, which it continues, is missing/],
    [
      'a fork',
      [a, b, makeSegment({ name: 'c', signer, before: a, writes: [[event(7)]] })],
      /^c: a fork: it continues a/,
    ],
    [
      'a second beginning',
      [a, makeSegment({ name: 'b', signer, writes: [[event(7)]] })],
      /^b: a fork: it continues nothing/,
    ],
    [
      'a checkpoint of another segment',
      [a, forge(b, 'gate/b', 'gate/z'), c],
      /^b: line 5: the checkpoint is of another segment/,
    ],
    [
      'a stranger who signs',
      [makeSegment({ name: 'a', signer: stranger.signer, writes: [[event(1)], 'checkpoint'] })],
      /^a: line 5: the checkpoint is signed by a key that is not trusted/,
    ],
    [
      'a header that is none',
      [{ ...a, text: a.text.slice(a.text.indexOf('\n{"kind":"outcome"') + 1) }],
      /^a: line 1: a segment begins with/,
    ],
  ])('finds %s', (_what, made, problem) => {
    expect(problems(check(made))[0]).toMatch(problem);
    // The chain alone finds the same.
    expect(problems(check(made, [verifier], { depth: 'chain' }))[0]).toMatch(problem);
  });

  it('takes a key that one it trusts has signed, from there on', () => {
    const next = makeKey();
    const last = makeKey();
    const endorse = (by: typeof next, key: typeof next): string =>
      signNote(endorsementText(key.verifier.text), by.signer);
    const two = makeSegment({
      name: 'b',
      signer: next.signer,
      before: a,
      endorsement: endorse({ signer, verifier }, next),
      writes: [[event(4)], 'shutdown'],
    });
    const three = makeSegment({
      name: 'c',
      signer: last.signer,
      before: two,
      endorsement: endorse(next, last),
      writes: [[event(5)], 'shutdown'],
    });
    expect(problems(check([a, two, three]))).toEqual([]);
    const unsigned = makeSegment({
      name: 'b',
      signer: next.signer,
      before: a,
      endorsement: endorse(last, next),
      writes: [[event(4)], 'shutdown'],
    });
    expect(problems(check([a, unsigned]))[0]).toMatch(/a key that is not trusted/);
  });

  it('forgives a write that a crash cut short where the next segment tells of it, and only then', () => {
    const torn = { ...b, text: `${b.text}{"torn`, last: sealOf(b.last, Buffer.from('{"torn')) };
    const next = makeSegment({ name: 'c', signer, before: torn, writes: [[event(7)]] });
    const told = forge(next, '"torn":0', '"torn":6');
    expect(problems(check([a, torn, told]))).toEqual([]);
    expect(problems(check([a, torn]))).toEqual(['b: line 11: 6 bytes behind the last seal']);
    expect(problems(check([a, b, told]))).toEqual(['c: b, which it continues, is not what it was then']);
  });
});

describe('a log of which the beginning was removed', () => {
  const of = ({ name, last }: Made, events: number): RemovedSegment => ({ name, events, last });
  const [ofA, ofB] = [of(a, 6), of(b, 5)];
  const stone = (previous: string | null, continues: string, ...segments: RemovedSegment[]): string =>
    signTombstone({ lane: 1, previous, continues, segments, reason: 'old', time: '2026-01-01T00:00:00.000Z' }, signer);

  it('is right where signed tombstones stand for all that is missing', () => {
    const one = check([c], [verifier], { tombstones: [stone(null, GENESIS, ofA, ofB)] });
    expect([problems(one), one.removed]).toEqual([[], 11]);
    const two = [stone(null, GENESIS, ofA), stone('a', a.last, ofB)];
    expect(problems(check([c], [verifier], { tombstones: two }))).toEqual([]);
  });

  it.each<[string, string[], RegExp]>([
    ['no tombstone', [], /^c: b, which it continues, is missing, and no tombstone stands for it/],
    ['one for something else', [stone(null, GENESIS, ofA)], /^c: b, which it continues, is missing/],
    [
      'one that says it was another',
      [stone(null, GENESIS, ofA, { ...ofB, last: a.last })],
      /^c: b was not what its tombstone says/,
    ],
    ['one for the last part of it alone', [stone('a', a.last, ofB)], /^c: a, which it continues, is missing/],
    [
      'one that a stranger has signed',
      [stone(null, GENESIS, ofA, ofB).replaceAll(signer.name, 'other')],
      /^c: b, which/,
    ],
  ])('is wrong with %s', (_what, tombstones, problem) => {
    expect(problems(check([c], [verifier], { tombstones }))[0]).toMatch(problem);
  });
});

describe('missing()', () => {
  const [kept] = check([b], [verifier], { from: 'b' }).segments[0]?.checkpoints ?? [];
  if (kept === undefined) throw new Error('there is one');

  it('finds a log that no longer holds what was signed on an earlier day', () => {
    expect(missing(kept, check([a, b]).segments)).toBeNull();
    expect(missing(kept, check([a]).segments)).toBe('there is no segment gate/b');
    const short = makeSegment({ name: 'b', signer, before: a, writes: [[event(4)]] });
    expect(missing(kept, check([a, short]).segments)).toMatch(/^b holds no checkpoint over 2 events/);
    const other = makeSegment({ name: 'b', signer, before: a, writes: [[event(9)], 'checkpoint'] });
    expect(missing(kept, check([a, other]).segments)).toMatch(/^b is not the one that was signed then/);
  });
});

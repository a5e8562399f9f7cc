import { describe, expect, it } from 'vitest';

import { AuditLog, type AuditLogOptions, type Segment } from '../../../src/audit/log.ts';
import { verifySegment } from '../../../src/audit/verify.ts';

/** A log over a sink in memory, whose turns of the event loop are taken by hand. */
function makeLog(more: Partial<AuditLogOptions> = {}) {
  const state = {
    written: '',
    writes: 0,
    broken: false,
    turns: [] as Array<() => void>,
    states: [] as boolean[],
    append: (lines: Buffer): void => {
      if (state.broken) throw new Error('no space');
      state.written += lines.toString('utf8');
      state.writes++;
    },
  };
  const sink = {
    append: (lines: Buffer): void => state.append(lines),
    sync: (done: (error: unknown) => void): void => void setImmediate(done, null),
    close: (): void => undefined,
  };
  const log = new AuditLog({
    segment: { sink, begin: () => ({ header: '{"kind":"segment"}', notary: null }) },
    next: null,
    clock: () => 0,
    defer: (run) => state.turns.push(run),
    onState: (error) => state.states.push(error === null),
    ...more,
  });
  const turn = (): void => state.turns.splice(0).forEach((run) => run());
  return { log, state, turn };
}

describe('AuditLog', () => {
  it('resolves when the sink has the event, not before', async () => {
    const { log, state, turn } = makeLog();
    let resolved = false;
    const done = log.append('{"n":1}', null).then(() => (resolved = true));
    expect([state.writes, resolved]).toEqual([0, false]);
    turn();
    turn();
    await done;
    expect(verifySegment(state.written)).toMatchObject({ ok: true, events: 2 });
  });

  it('writes what comes together with one call, in order', async () => {
    const { log, state, turn } = makeLog();
    const all = [log.append('{"n":1}', null), log.append('{"n":2}', null)];
    log.note('{"n":3}');
    turn();
    await Promise.all(all);
    expect(state.writes).toBe(1);
    expect([...state.written.matchAll(/"n":(\d)/g)].map((match) => match[1])).toEqual(['1', '2', '3']);
  });

  it('gives the receipt when the event is on record', async () => {
    const { log, turn } = makeLog();
    const receipt = log.append('{}', 'proof');
    turn();
    expect(await receipt).toBe('proof');
  });

  it('writes events that are longer than its buffer, and text outside ASCII', () => {
    const { log, state } = makeLog();
    log.note(JSON.stringify({ long: 'é'.repeat(200_000) }));
    log.flush();
    expect(verifySegment(state.written)).toMatchObject({ ok: true, events: 2 });
  });

  it('refuses what waits when a write fails, and the chain goes on unbroken when it works again', async () => {
    const { log, state, turn } = makeLog();
    state.broken = true;
    const lost = expect(log.append('{"n":1}', null)).rejects.toMatchObject({ reason: 'audit-unavailable' });
    turn();
    turn();
    await lost;
    expect(log.healthy).toBe(false);
    state.broken = false;
    const kept = log.append('{"n":2}', null);
    turn();
    turn();
    await kept;
    expect([log.healthy, state.states]).toEqual([true, [false, true]]);
    expect(verifySegment(state.written)).toMatchObject({ ok: true, events: 3 });
    expect(state.written).toContain(
      '{"action":"failed","detail":"no space","kind":"audit-log","time":"1970-01-01T00:00:00.000Z"}',
    );
  });

  it('keeps what is noted while it writes', () => {
    const { log, state } = makeLog();
    const { append } = state;
    state.append = (lines) => {
      state.append = append;
      log.note('{"during":1}');
      append(lines);
    };
    log.flush();
    expect(state.written).toMatch(/segment.*\n.*seal"\}\n\{"during":1\}\n.*seal"\}\n$/);
  });

  it('keeps the ends of exchanges when a write fails, and writes them when it works again', () => {
    const { log, state } = makeLog();
    state.broken = true;
    log.note('{"end":1}');
    log.flush();
    state.broken = false;
    log.flush();
    expect(state.written).toContain('{"end":1}');
  });

  it('tries again by itself, so that it is seen to be ready where nobody asks it for anything', async () => {
    const { log, state, turn } = makeLog();
    turn();
    state.broken = true;
    const lost = expect(log.append('{"n":1}', null)).rejects.toMatchObject({ reason: 'audit-unavailable' });
    turn();
    await lost;
    state.broken = false;
    await expect.poll(() => log.healthy, { timeout: 5000 }).toBe(true);
    log.close();
  });

  it('denies when too much waits, and says how many ends of exchanges it could not keep', async () => {
    const { log, state } = makeLog();
    state.broken = true;
    for (let i = 0; i < 20_010; i++) log.note('{}');
    await expect(log.append('{}', null)).rejects.toMatchObject({ reason: 'audit-unavailable' });
    log.flush();
    expect(log.behind.waiting).toBe(20_001);
    state.broken = false;
    log.close();
    expect(verifySegment(state.written)).toMatchObject({ ok: true, events: 20_002 });
    expect(state.written).toContain('{"action":"dropped","count":11,');
  });

  it('denies when what waits is too long', async () => {
    const { log } = makeLog();
    for (let i = 0; i < 33; i++) log.note('x'.repeat(1024 * 1024));
    await expect(log.append('{}', null)).rejects.toMatchObject({ reason: 'audit-unavailable' });
    log.close();
  });
});

describe('AuditLog, signed', () => {
  /** A log whose checkpoints are answered by hand. */
  function makeSigned(more: Partial<AuditLogOptions> = {}) {
    const asked: Array<{ to: number; resolve: (note: string) => void; reject: (error: Error) => void }> = [];
    const texts: string[] = [];
    const syncs: Array<(error: unknown) => void> = [];
    const segment = (): Segment => {
      const at = texts.push('') - 1;
      return {
        sink: {
          append: (lines) => (texts[at] += lines.toString('utf8')),
          sync: (done) => syncs.push(done),
          close: () => undefined,
        },
        begin: (_previous, carried) => ({
          header: JSON.stringify({ ...(carried.length > 0 ? { carried } : {}), kind: 'segment' }),
          notary: {
            checkpoint: (to) => new Promise((resolve, reject) => asked.push({ to, resolve, reject })),
            closing: () => 'closing',
            close: () => undefined,
          },
        }),
      };
    };
    const troubles: unknown[] = [];
    const log = new AuditLog({
      segment: segment(),
      next: segment,
      clock: () => 0,
      defer: () => undefined,
      onTrouble: (error) => troubles.push(error),
      checkpoint: { events: 3, milliseconds: 60_000 },
      ...more,
    });
    return { log, asked, texts, troubles, syncs };
  }
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('asks for a checkpoint after so many events, for one at a time, and not for its own', async () => {
    const { log, asked, texts } = makeSigned();
    log.note('{"n":1}');
    log.flush();
    expect([asked.length, log.behind.unsigned]).toEqual([0, 2]);
    log.note('{"n":2}');
    log.flush();
    log.note('{"n":3}');
    log.flush();
    expect(asked.map(({ to }) => to)).toEqual([texts[0]?.indexOf('{"n":3}')]);
    asked[0]?.resolve('signed');
    await settled();
    log.flush();
    expect(texts[0]).toContain(
      '{"kind":"checkpoint","note":"signed","reason":"events","time":"1970-01-01T00:00:00.000Z"}',
    );
    expect([log.behind.unsigned, asked.length]).toEqual([1, 1]);
    log.close();
  });

  it('says that it could not be signed, denies nothing for it, and asks again', async () => {
    const { log, asked, troubles } = makeSigned();
    for (let n = 0; n < 3; n++) log.note('{}');
    log.flush();
    asked[0]?.reject(new Error('lost'));
    await settled();
    expect([troubles, log.healthy, log.behind.unsigned]).toEqual([[new Error('lost')], true, 4]);
    for (let n = 0; n < 3; n++) log.note('{}');
    log.flush();
    expect(asked).toHaveLength(2);
    log.close();
  });

  it('asks after a while where there are few events, and never where there are none', async () => {
    const { log, asked } = makeSigned({ checkpoint: { events: 100, milliseconds: 1 } });
    log.flush();
    await expect.poll(() => asked.length).toBe(1);
    asked[0]?.resolve('signed');
    await settled();
    log.flush();
    expect(log.behind).toEqual({ waiting: 0, unsigned: 0, seconds: 0 });
    log.close();
  });

  it('ends a segment that is full at its next checkpoint, with one more, and goes on in another', async () => {
    const { log, asked, texts } = makeSigned({ rotate: { bytes: 100, milliseconds: Infinity } });
    log.readUnderWay(() => [{ exchange: 'x' } as never]);
    for (let n = 0; n < 3; n++) log.note('{}');
    log.flush();
    asked[0]?.resolve('signed');
    await settled();
    log.note('{"after":1}');
    log.close();
    expect(texts).toHaveLength(2);
    expect(texts[0]).toMatch(
      /"note":"signed".*\n.*\n\{"kind":"checkpoint","note":"closing","reason":"rotation".*\n.*seal"\}\n$/,
    );
    expect(texts[1]).toMatch(
      /^\{"carried":\[\{"exchange":"x"\}\],"kind":"segment"\}\n\{"after":1\}\n.*\n.*"reason":"shutdown".*\n.*seal"\}\n$/,
    );
    expect(verifySegment(texts[1] ?? '', verifySegment(texts[0] ?? '').last)).toMatchObject({ ok: true });
  });

  it('writes its segment on where there can be no other', async () => {
    const next = (): never => {
      throw new Error('no room');
    };
    const { log, texts, troubles } = makeSigned({ next });
    log.rotate();
    log.note('{"after":1}');
    log.close();
    expect([texts.length, troubles]).toEqual([1, [new Error('no room')]]);
    expect(texts[0]).toContain('{"after":1}');
  });

  it('tells nobody that an event is on record before the disk has it', async () => {
    const { log, syncs } = makeSigned({ durability: 'disk' });
    const told: string[] = [];
    const append = (name: string): void =>
      void log.append('{}', name).then(
        (each) => told.push(each),
        () => told.push(`no ${name}`),
      );
    append('a');
    log.flush();
    append('b');
    log.flush();
    await settled();
    expect([told, syncs.length]).toEqual([[], 1]);
    syncs[0]?.(null);
    await settled();
    expect([told, syncs.length]).toEqual([['a'], 2]);
    // A disk that fails has nothing on record.
    syncs[1]?.(new Error('EIO'));
    await settled();
    expect([told, log.healthy]).toEqual([['a', 'no b'], false]);
    log.close();
  });
});

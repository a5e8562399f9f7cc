import { describe, expect, it } from 'vitest';

import { AuditLog, type AuditLogOptions } from '../../../src/audit/log.ts';
import { verifySegment } from '../../../src/audit/verify.ts';

/** A log over a sink in memory, whose turns of the event loop are taken by hand. */
function makeLog(more: Partial<AuditLogOptions> = {}) {
  const state = { written: '', writes: 0, broken: false, turns: [] as Array<() => void>, states: [] as boolean[] };
  const sink = {
    append: (lines: Buffer): void => {
      if (state.broken) throw new Error('no space');
      state.written += lines.toString('utf8');
      state.writes++;
    },
    close: (): void => undefined,
  };
  const log = new AuditLog({
    sink,
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
    expect(verifySegment(state.written)).toMatchObject({ ok: true, events: 1 });
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
    expect(verifySegment(state.written)).toMatchObject({ ok: true, events: 1 });
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
    expect(verifySegment(state.written)).toMatchObject({ ok: true, events: 1 });
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

  it('denies when too much waits', async () => {
    const { log } = makeLog();
    for (let i = 0; i < 20_000; i++) log.note('{}');
    await expect(log.append('{}', null)).rejects.toMatchObject({ reason: 'audit-unavailable' });
    log.close();
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { exchangeSteps, type RulesOf } from '../../src/cli/exchange-steps.ts';
import type { AuditEvent, OutcomeEvent } from '../../src/model/audit-event.ts';
import { OUTCOME } from '../unit/audit/support.ts';

const rules = mkdtempSync(join(tmpdir(), 'sallyport-steps-'));
afterAll(() => rmSync(rules, { recursive: true }));
writeFileSync(
  join(rules, 'a.yaml'),
  'version: 1\nagents:\n  bot: { identity: { networks: [10.0.0.0/8] }, limits: { requests: 10/minute }, allow: ["GET https://api.test/**"] }\n',
);
const folder: RulesOf = { now: rules, kept: () => null };
const steps = (more: Partial<OutcomeEvent>, ...others: AuditEvent[]): string =>
  stripVTControlCharacters(exchangeSteps([{ ...OUTCOME, ...more }, ...others], folder));

describe('exchangeSteps()', () => {
  it('tells what was asked, decided, dialled and how long it took', () => {
    const text = steps({ timing: { decided: 12, sent: 900, answered: 1500 } });
    expect(text).toMatch(/^asked {5}GET https:\/\/api\.test:443\/a\?state=\(4 characters\) over http\/1\.1/);
    for (const line of [
      /^decided {3}allow by rules\/a\.yaml:3: .*, mode enforce, rules 28580bd68e4d0bb0$/m,
      /^now {7}rules [0-9a-f]{16}: allow$/m,
      /^limits {4}requests 10\/minute \(agent\) \(by the rules as they are now\)$/m,
      /^dialled {3}192\.0\.2\.7$/m,
      /^timing {4}decided in 12 µs · left after 900 µs · answered after 1\.5 ms · over after 1\.8 ms$/m,
    ])
      expect(text).toMatch(line);
  });

  it('takes limits and near rules from the rules of then, where they are kept, and those of now for what they say now', () => {
    const then = mkdtempSync(join(tmpdir(), 'sallyport-then-'));
    const old = readFileSync(join(rules, 'a.yaml'), 'utf8').replace('10/minute', '5/minute').replace('GET', 'POST');
    writeFileSync(join(then, 'a.yaml'), old);
    const asked: string[] = [];
    const of: RulesOf = { now: rules, kept: (generation) => (asked.push(generation), then) };
    const event = { ...OUTCOME, decision: 'deny', outcome: 'refused', reason: 'method-not-allowed' } as const;
    const text = stripVTControlCharacters(exchangeSteps([event], of));
    rmSync(then, { recursive: true });
    expect(asked).toEqual([OUTCOME.policy]);
    expect(text).toMatch(/^limits {4}requests 5\/minute \(agent\)$/m);
    expect(text).toMatch(/^nearly {4}.*POST https:\/\/api\.test.*another method$/m);
    expect(text).toMatch(/^now {7}rules [0-9a-f]{16}: allow$/m);
  });

  it('says that a transcript is kept', () => {
    const objects = ['2026-01-01/a'];
    expect(steps({}, { exchange: 'x-1', kind: 'transcript', objects, time: 'then' })).toMatch(/^kept {6}a transcript/m);
  });

  it('says of what was found that rules do not refuse it', () => {
    const finding = {
      detector: 'd',
      where: 'query parameter note',
      action: 'deny',
      via: ['base64'],
      direction: 'to-upstream',
    };
    const text = steps({ decision: 'deny', outcome: 'refused', reason: 'secret-found', findings: [finding as never] });
    expect(text).toMatch(/^now {7}.*: allow; what was found is for the scan profile to refuse/m);
    expect(text).toMatch(/^found {5}d in query parameter note \(to-upstream, through base64\): deny$/m);
  });

  it('says of an exchange without an end why it has none', () => {
    const intent = {
      kind: 'intent',
      agent: 'bot',
      exchange: 'x',
      method: 'GET',
      path: '/a',
      target: 'https://api.test:443',
      time: 'then',
    } as const;
    const of = (...events: AuditEvent[]): string => stripVTControlCharacters(exchangeSteps(events, folder));
    expect(of(intent)).toMatch(
      /^asked {5}GET https:\/\/api\.test:443\/a, by bot, at then\nended {5}no end is on record/,
    );
    expect(of(intent, { ...intent, kind: 'interrupted', began: 'then' })).toMatch(
      /ended {5}interrupted: its process died/,
    );
  });

  it('goes on where the rules do not load, or do not decide it', () => {
    expect(stripVTControlCharacters(exchangeSteps([OUTCOME], { ...folder, now: join(rules, 'none') }))).toMatch(
      /^now {7}the rules do not load$/m,
    );
    expect(steps({ decision: 'deny', reason: 'upstream-unreachable' })).toMatch(/^now {7}.*: rules do not decide it$/m);
  });
});

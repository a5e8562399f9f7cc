import { describe, expect, it } from 'vitest';
import { haltKey, haltScope, haltScopes, halts, type HaltKind } from '../../../src/model/halt.ts';

const subject = { agent: 'bot', tenant: 'acme', capability: 'mail', session: 's1' };

describe('halts()', () => {
  it.each<[HaltKind, string, boolean]>([
    ['all', '', true],
    ['agent', 'bot', true],
    ['agent', 'acme', false],
    ['tenant', 'acme', true],
    ['tenant', 'bot', false],
    ['capability', 'mail', true],
    ['capability', 'bot', false],
    ['session', 's1', true],
    ['session', 's2', false],
  ])('%s %s: %s', (kind, name, expected) => {
    expect(halts({ kind, name }, subject)).toBe(expected);
    expect(haltScopes(subject).includes(haltScope({ kind, name }))).toBe(expected);
  });

  it('stops no one by a tenant or capability they do not have', () => {
    const nobody = { agent: 'bot', tenant: null, capability: null, session: null };
    expect(halts({ kind: 'tenant', name: '' }, nobody) || halts({ kind: 'capability', name: '' }, nobody)).toBe(false);
  });
});

it('haltScope() names it in words', () => {
  expect([haltScope({ kind: 'agent', name: 'bot' }), haltScope({ kind: 'all', name: '' })]).toEqual([
    'agent bot',
    'everything',
  ]);
});

it('haltKey() keeps what the gate did by itself apart from what people stopped', () => {
  const keys = [undefined, 'halt', 'enforce'].map((quarantine) =>
    haltKey({ kind: 'agent', name: 'bot', quarantine: quarantine as 'halt' | 'enforce' | undefined }),
  );
  expect(new Set(keys).size).toBe(3);
  expect(keys[0]).toBe('agent bot');
});

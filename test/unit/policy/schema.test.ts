import { expect, it } from 'vitest';
import { z } from 'zod';
import { LATER, agent, capability, rulesFile } from '../../../src/policy/schema.ts';

it('becomes JSON Schema for editors, closed at every level', () => {
  const json = z.toJSONSchema(rulesFile) as { additionalProperties?: boolean; properties?: Record<string, unknown> };
  expect(json.additionalProperties).toBe(false);
  expect(Object.keys(json.properties ?? {})).toContain('agents');
});

it('what is refused as not supported yet is a key the schema knows', () => {
  for (const key of LATER.agent) expect(Object.keys(agent.shape)).toContain(key);
  for (const key of LATER.capability) expect(Object.keys(capability.shape)).toContain(key);
  for (const key of LATER.file) expect(Object.keys(rulesFile.shape)).toContain(key);
});

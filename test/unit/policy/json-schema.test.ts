import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { rulesJsonSchema, rulesJsonSchemaText } from '../../../src/policy/json-schema.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SHIPPED = readdirSync(join(ROOT, 'rules'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.yaml'),
);
const validate = new Ajv2020({ strict: false }).compile(rulesJsonSchema());
const holds = (text: string): boolean => validate(parse(text));

describe('the JSON Schema of rule files', () => {
  it('is the one that is committed, and that shipped files name', () => {
    expect(readFileSync(join(ROOT, 'docs/reference/rules.schema.json'), 'utf8')).toBe(rulesJsonSchemaText());
    for (const name of SHIPPED)
      expect(readFileSync(join(ROOT, 'rules', name), 'utf8')).toMatch(
        /^# yaml-language-server: \$schema=\.\.\/\.\.\/docs\/reference\/rules\.schema\.json\n/,
      );
  });

  it.each(SHIPPED)('holds for %s', (name) => {
    expect([holds(readFileSync(join(ROOT, 'rules', name), 'utf8')), validate.errors]).toEqual([true, null]);
  });

  it.each([
    ['a key nobody knows', 'version: 1\nagent: {}\n'],
    ['another version', 'version: 2\n'],
    ['a mode nobody knows', 'version: 1\nagents: { a: { identity: {}, mode: off } }\n'],
    [
      'a predicate nobody knows',
      'version: 1\ndefaults: { deny: [{ host: a.test, body: { json: { /a: { equal: 1 } } } }] }\n',
    ],
    ['a test that expects nothing', 'version: 1\ntests: [{ name: x, agent: a, request: GET https://a.test/ }]\n'],
  ])('does not hold for %s', (_name, text) => {
    expect(holds(text)).toBe(false);
  });

  it('says what each key means, for editors to show', () => {
    expect(rulesJsonSchemaText()).toContain('"description": "Exact host, `*.example.com` (one label)');
  });
});

import { describe, expect, it } from 'vitest';
import { loadDetectors } from '../../../src/policy/load.ts';
import { compileEngine } from '../../../src/scan/engine.ts';
import { loadFiles, problemsOf } from '../../support/policy.ts';
import { namesIn } from '../../support/scan.ts';

const file = (detector: string): string =>
  `version: 1\ndetectors:\n  acme-record:\n    description: Record of Acme\n    family: personal-data\n${detector}`;

describe('detectors in rules', () => {
  it('are read with everything they say, and what they leave out as it ships', () => {
    const { policy } = loadFiles({
      'd.yaml': file(
        "    pattern: 'ACME-\\d{6}'\n    severity: medium\n    near: [patient]\n    allow: [ACME-000000]\n",
      ),
    });
    expect(policy?.detectors).toMatchObject([
      {
        name: 'acme-record',
        severity: 'medium',
        bounds: 'word',
        context: { words: ['patient'], how: 'near' },
        allow: ['acme-000000'],
        count: 1,
        placeholders: true,
      },
    ]);
    const engine = compileEngine(policy?.detectors ?? []);
    expect(namesIn(engine, 'the patient, number ACME-123456, left')).toEqual(['acme-record']);
    for (const text of ['patient ACME-000000', 'impatient ACME-123456', 'the patients ACME-123456', 'ACME-123456'])
      expect(namesIn(engine, text)).toEqual([]);
  });

  it.each<readonly [string, RegExp]>([
    [
      "    pattern: 'a(?=b)'\n",
      /:6:\d+: error: at character 2 of the pattern: look-around is not supported\n[^]*hint: it cannot be matched in linear time/,
    ],
    ["    pattern: '(a)\\1'\n", /at character 4 of the pattern: back-references are not supported/],
    ["    pattern: '[0-9]{9}'\n", /nothing in the pattern is literal[^]*hint: each alternative needs a byte/],
    ["    pattern: 'x'\n    finder: card\n", /either a pattern or a finder/],
    ['    severity: low\n', /either a pattern or a finder/],
    ["    pattern: 'x'\n    near: [ab]\n    assigned: [ab]\n", /either assigned or near/],
    ["    pattern: 'x'\n    validate: [lunh]\n", /luhn|card/],
    ["    pattern: 'x'\n    familie: y\n", /unknown key "familie"/],
  ])('that are wrong are shown with their place: %j', (text, message) => {
    expect(problemsOf(file(text)).join('\n')).toMatch(message);
  });

  it('of families that nothing looks for are refused', () => {
    const text = file("    pattern: 'x1'\n").replace('personal-data', 'documents');
    expect(problemsOf(text).join('\n')).toMatch(/documents are not found by patterns[^]*sallyport documents add DIR/);
  });

  it('defined twice are an error that shows both places', () => {
    const { problems } = loadFiles({ 'a.yaml': file("    pattern: 'x1'\n"), 'b.yaml': file("    pattern: 'x2'\n") });
    expect(problems.map(({ message }) => message)).toEqual(['detector "acme-record" is defined twice']);
  });

  it('that ship do not load from a folder without any', () => {
    expect(() => loadDetectors('docs')).toThrow('the detectors in docs do not load');
  });
});

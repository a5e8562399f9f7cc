import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadDetectors } from '../../../src/policy/load.ts';
import { compileEngine } from '../../../src/scan/engine.ts';
import { fillIn } from '../../support/samples.ts';
import { Scanner } from '../../../src/scan/scanner.ts';
import { KEY, findIn, saidIn } from '../../support/scan.ts';

const FIXTURES = 'test/fixtures/detectors';
const DETECTORS = loadDetectors('rules/detectors');
const ofText = new Set(DETECTORS.filter(({ family }) => family === 'injected-instructions').map(({ name }) => name));
const engine = compileEngine(DETECTORS.filter(({ name }) => !ofText.has(name)));
const textEngine = compileEngine(DETECTORS.filter(({ name }) => ofText.has(name)));

const scanner = new Scanner(engine, KEY);

describe('detectors', () => {
  it('are at least 250, each with the documentation it is from, and at least one hit and one miss', () => {
    expect(DETECTORS.length).toBeGreaterThanOrEqual(250);
    const without = DETECTORS.filter(({ name, source }) => {
      const files = readdirSync(`${FIXTURES}/${name}`);
      return (
        source === null ||
        !files.some((file) => file.startsWith('hit.')) ||
        !files.some((file) => file.startsWith('miss.'))
      );
    });
    expect(without.map(({ name }) => name)).toEqual([]);
    expect(readdirSync(FIXTURES).sort()).toEqual(DETECTORS.map(({ name }) => name).sort());
  });

  it.each(DETECTORS.map(({ name }) => name))('%s', (name) => {
    for (const file of readdirSync(`${FIXTURES}/${name}`)) {
      const template = readFileSync(`${FIXTURES}/${name}/${file}`, 'utf8');
      for (let seed = 1; seed <= 5; seed++) {
        const text = fillIn(template, seed);
        const found = new Set(
          ofText.has(name)
            ? saidIn(textEngine, 'text', text).map((each) => each.split(' ')[0])
            : findIn(engine, Buffer.from(text)).map((finding) => finding.detector),
        );
        expect({ file, text, found: found.has(name) }).toEqual({ file, text, found: file.startsWith('hit.') });
        // What comes at once is read by fewer readers.
        if (ofText.has(name)) continue;
        const whole = scanner.wholeBytes(Buffer.from(text)).map(({ detector }) => detector);
        expect({ file, text, whole: whole.includes(name) }).toEqual({ file, text, whole: found.has(name) });
      }
    }
  });
});

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { errorCode } from '../model/error-code.ts';
import { formatProblem } from '../policy/problem.ts';
import { loadTests, runTests, type Coverable, type TestResult, type TestRun } from '../policy/rule-tests.ts';
import { CommandError, EXIT } from './exit.ts';
import { relativePlaces } from './places.ts';
import { configOf, withSettings } from './settings.ts';

interface TestOptions {
  readonly minCoverage?: number;
  readonly junit?: string;
  readonly json?: string;
}

/** `sallyport test [rules]`: runs the tests that stand in rule files, and says which rules none of them exercised. */
export function addTest(program: Command): void {
  withSettings(program.command('test'), ['rules'])
    .description('run the tests in the rules and print which rules they exercise')
    .argument('[folder]', 'folder (or one file) of rules')
    .option('--min-coverage <percent>', 'fail below this share of exercised rules', parsePercent)
    .option('--junit <file>', 'write a JUnit report')
    .option('--json <file>', 'write a JSON report')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport test rules/ --min-coverage 80 --junit report.xml\n\nExit codes: 0 all passed, 1 a test failed, too little was exercised or the rules do not load, 2 wrong usage.',
    )
    .action((folder: string | undefined, options: TestOptions, command: Command) => {
      const { policy, tests, problems } = loadTests(folder === undefined ? configOf(command).rules : resolve(folder));
      if (policy === null) {
        const errors = problems.filter((problem) => problem.severity === 'error');
        process.stdout.write(`${errors.map((each) => formatProblem(relativePlaces(each))).join('\n\n')}\n`);
        process.exitCode = EXIT.negative;
        return;
      }
      const run = runTests(policy, tests);
      process.stdout.write(report(run));
      if (options.junit !== undefined) write('--junit', options.junit, junit(run));
      if (options.json !== undefined) write('--json', options.json, json(run));
      const least = options.minCoverage ?? 0;
      if (coverage(run) < least) process.stdout.write(`less than the ${least} % that --min-coverage asks for\n`);
      const failed = run.results.some(({ failures }) => failures.length > 0) || coverage(run) < least;
      process.exitCode = failed ? EXIT.negative : EXIT.ok;
    });
}

function parsePercent(text: string): number {
  const percent = /^\d{1,3}(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(percent <= 100)) throw new CommandError(`--min-coverage: "${text}" is not a percentage from 0 to 100`);
  return percent;
}

/** Percent of what tests can exercise that some test did; of nothing, all. */
function coverage({ covered, uncovered }: TestRun): number {
  const all = covered.length + uncovered.length;
  return all === 0 ? 100 : (covered.length / all) * 100;
}

/** Rounded down: 100 means all. */
function shownCoverage(run: TestRun): string {
  const { covered, uncovered } = run;
  return `${Math.floor(coverage(run))} % (${covered.length} of ${covered.length + uncovered.length})`;
}

const WHAT: Readonly<Record<Coverable['what'], string>> = {
  allow: 'never allows a request of a test',
  deny: 'never denies a request of a test',
  query: 'never refuses a query',
  headers: 'never refuses headers',
  content: 'never refuses content',
};

function report(run: TestRun): string {
  const { results, uncovered } = run;
  const width = Math.max(0, ...results.map(({ test }) => test.name.length));
  const lines = results.flatMap((result) => lineOf(result, width));
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  if (uncovered.length > 0) {
    lines.push('', 'not exercised:');
    for (const { place, text, what } of uncovered)
      lines.push(`  ${place.file}:${place.line}:${place.column}  ${text}: ${WHAT[what]}`);
  }
  lines.push('', `${results.length - failed} passed, ${failed} failed; coverage ${shownCoverage(run)}`);
  return `${lines.join('\n')}\n`;
}

function lineOf({ test, failures }: TestResult, width: number): string[] {
  const place = `${test.place.file}:${test.place.line}:${test.place.column}`;
  const head = `${failures.length === 0 ? 'ok  ' : 'FAIL'}  ${test.name.padEnd(width)}  ${place}`;
  return [head, ...failures.map((failure) => `      ${failure}`)];
}

/** JUnit as CI systems read it: a suite for each file, a case for each test. */
function junit({ results }: TestRun): string {
  const files = [...new Set(results.map(({ test }) => test.place.file))];
  const suites = files.map((file) => {
    const own = results.filter(({ test }) => test.place.file === file);
    const failed = own.filter(({ failures }) => failures.length > 0).length;
    const cases = own.map(({ test, failures }) => {
      const head = `    <testcase classname="${escaped(file)}" name="${escaped(test.name)}" file="${escaped(file)}" line="${test.place.line}"`;
      if (failures.length === 0) return `${head}/>\n`;
      const text = escaped(failures.join('\n'));
      return `${head}>\n      <failure message="${escaped(failures[0] ?? '')}">${text}</failure>\n    </testcase>\n`;
    });
    return `  <testsuite name="${escaped(file)}" tests="${own.length}" failures="${failed}">\n${cases.join('')}  </testsuite>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`;
}

function escaped(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    '\n': '&#10;',
  };
  return text.replaceAll(/[&<>"\n]/g, (character) => named[character] ?? '');
}

function json(run: TestRun): string {
  const { results, covered, uncovered } = run;
  const document = {
    tests: results.map(({ test, failures }) => ({
      name: test.name,
      ...test.place,
      passed: failures.length === 0,
      failures,
    })),
    coverage: { percent: coverage(run), covered: covered.length, all: covered.length + uncovered.length },
    uncovered: uncovered.map(({ place, text, what }) => ({ ...place, rule: text, what })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function write(option: string, file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CommandError(`${option}: ${file} cannot be written: ${errorCode(error)}`);
  }
}

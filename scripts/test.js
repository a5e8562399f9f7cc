// Every check and every test, with one closing line: "N passed, N failed" summed over all of them.
//   npm test
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const npx = (...words) => spawnSync('npx', ['--no-install', ...words], { cwd: root, stdio: 'inherit' }).status === 0;
const totals = { passed: 0, failed: 0, skipped: 0 };

/** A check that passes or fails as a whole. */
function check(name, run) {
  process.stdout.write(`\n── ${name}\n`);
  const passed = run();
  totals[passed ? 'passed' : 'failed']++;
  process.stdout.write(`── ${name}: ${passed ? 'passed' : 'FAILED'}\n`);
}

check(
  'tools',
  () => spawnSync('bash', [join(root, 'scripts/test-tools.sh')], { cwd: root, stdio: 'inherit' }).status === 0,
);
check('types', () => npx('tsc', '-p', 'tsconfig.json'));
check('lint', () => npx('oxlint', '--deny-warnings', 'src', 'test', 'scripts') && npx('knip'));
check('format', () => npx('prettier', '--check', '.'));

process.stdout.write('\n── tests\n');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-results-'));
const report = join(folder, 'results.json');
const ran = npx('vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`);
try {
  const results = JSON.parse(readFileSync(report, 'utf8'));
  totals.passed += results.numPassedTests;
  totals.failed += results.numFailedTests;
  totals.skipped += results.numPendingTests + results.numTodoTests;
  // A file that does not even load fails no test: it is counted all the same.
  totals.failed += results.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  ).length;
  if (results.numPassedTests === 0) totals.failed++;
} catch {
  totals.failed++;
}
rmSync(folder, { recursive: true, force: true });
if (!ran && totals.failed === 0) totals.failed++;

process.stdout.write(
  `\n${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''}\n`,
);
process.exit(totals.failed === 0 ? 0 : 1);

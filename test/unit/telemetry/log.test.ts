import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** Runs in a process of its own, for the log writes to its standard output; needs `npm run build`. */
function logged(format: string): string {
  const module = join(import.meta.dirname, '../../../dist/telemetry/log.js');
  const script = `const { makeLog } = await import(${JSON.stringify(module)}); makeLog({ level: 'info', format: ${JSON.stringify(format)} }).info({ a: 1 }, 'hello'); makeLog({ level: 'info', format: 'json' }).debug('not said');`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
}

it('a JSON line has time, level and message, and nothing of the machine', () => {
  expect(Object.keys(JSON.parse(logged('json')) as object).sort()).toEqual(['a', 'level', 'msg', 'time']);
});

it('text is for people', () => {
  expect(logged('text')).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: hello \{"a":1\}\n$/);
});

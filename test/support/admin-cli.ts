import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { TestGate } from './gate.ts';

const PROGRAM = join(import.meta.dirname, '../../dist/cli/sallyport.js');

/** What the real command line says, asking this gate's admin listener. */
export function adminCli(gate: TestGate, ...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const flags = ['--listen-admin', gate.gate.admin, '--state', join(gate.folder, 'state')];
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...words, ...flags], (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

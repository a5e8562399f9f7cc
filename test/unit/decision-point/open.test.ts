import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { DecisionPointError, DecisionPointOpener } from '../../../src/decision-point/open.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-open-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const INPUT = { headers: ['X-Team'], body: true };

describe('DecisionPointOpener', () => {
  it('opens nothing where nothing is named', () => {
    const opener = new DecisionPointOpener({ opa: null, wasm: null, input: INPUT }, createSecureContext());
    expect(opener.open()).toEqual({ points: [], headers: new Set(['x-team']), body: true });
    opener.close();
  });

  it('keeps the server over reloads, and reads its token again', () => {
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'one\n');
    const opa = { url: new URL('http://127.0.0.1:1'), path: 'a/b', timeout: 100, tokenFile };
    const opener = new DecisionPointOpener({ opa, wasm: null, input: INPUT }, createSecureContext());
    const [first] = opener.open().points;
    writeFileSync(tokenFile, 'two\n');
    const [second] = opener.open().points;
    expect(second).toBe(first);
    expect((second as { token?: string }).token).toBe('two');
    writeFileSync(tokenFile, 'two words\n');
    expect(() => opener.open()).toThrow(DecisionPointError);
    expect((second as { token?: string }).token).toBe('two');
    opener.close();
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { registryFile, watchRegistry, writeRegistry } from '../../src/proxy/registry.ts';
import { printsOf } from '../../src/scan/registered.ts';
import { until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-registry-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the registry of a running gate', () => {
  it('takes up what is registered, and keeps it when the file disappears or is damaged', async () => {
    const key = Buffer.alloc(32, 7);
    const errors: string[] = [];
    const registry = watchRegistry(folder, key, ({ message }) => void errors.push(message));
    const empty = registry.current;
    const prints = printsOf(Buffer.from(['a', 'registered', 'value'].join(' ')), key);
    writeRegistry(registryFile(folder), [
      { name: 'mine', kind: 'value', registered: '2026-01-01T00:00:00Z', belongsTo: [], prints },
    ]);
    await until(() => registry.current !== empty, 'the registered value');
    const held = registry.current;
    rmSync(registryFile(folder));
    await until(() => errors.length === 1, 'the error');
    expect(errors[0]).toContain('is gone: what was registered is still looked for');
    expect(registry.current).toBe(held);
    registry.close();
  });
});

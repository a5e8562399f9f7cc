import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { kernelSource } from '../../scripts/kernel.js';
import { ROOT } from './sources.ts';

it('the kernel that ships is the one that kernel/ compiles to (npm run kernel)', async () => {
  expect(readFileSync(join(ROOT, 'src/scan/kernel-bytes.ts'), 'utf8')).toBe(await kernelSource());
});

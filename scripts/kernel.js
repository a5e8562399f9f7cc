// Compiles the scanner's inner loop (kernel/pass.ts, AssemblyScript) to WebAssembly and writes it, in Base64, where the scanner
// finds it. A test of the house does the same and compares.
//   npm run kernel
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const root = join(import.meta.dirname, '..');

/** The source text of src/scan/kernel-bytes.ts. Throws what the compiler says where it does not compile. */
export async function kernelSource() {
  let binary;
  const { error, stderr } = await asc.main(
    [
      'kernel/pass.ts',
      '--baseDir',
      root,
      '--outFile',
      'pass.wasm',
      '--enable',
      'simd',
      '--runtime',
      'stub',
      '--noAssert',
      '--importMemory',
      '--noExportMemory',
      '-O3',
    ],
    { writeFile: (_name, contents) => void (binary = contents) },
  );
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  const lines = Buffer.from(binary)
    .toString('base64')
    .match(/.{1,116}/g);
  return [
    '/** kernel/pass.ts, compiled by `npm run kernel`: do not edit. */',
    'export const KERNEL =',
    `${lines.map((line) => `  '${line}'`).join(' +\n')};`,
    '',
  ].join('\n');
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(join(root, 'src/scan/kernel-bytes.ts'), await kernelSource());

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { ROOT, sourcesBelow } from './sources.ts';

/** Rooms whose behaviour is tested file by file; the others are tested as a whole, through real sockets and processes. */
const PURE = [
  'model',
  'http1',
  'pattern',
  'policy',
  'decision-point',
  'limits',
  'network',
  'tls',
  'identity',
  'audit',
  'telemetry',
  'config',
];

it('every source file of a pure room has its test twin', () => {
  const files = PURE.flatMap((room) => sourcesBelow(`src/${room}`)).filter((file) =>
    file.ast.statements.some(
      (each) => !ts.isInterfaceDeclaration(each) && !ts.isTypeAliasDeclaration(each) && !ts.isImportDeclaration(each),
    ),
  );
  const orphans = files
    .map((file) => file.path.replace(/^src/, 'test/unit').replace(/\.ts$/, '.test.ts'))
    .filter((twin) => !existsSync(join(ROOT, twin)));
  expect(orphans).toEqual([]);
});

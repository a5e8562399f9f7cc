import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';

export const ROOT: string = join(import.meta.dirname, '../..');

export interface SourceFile {
  /** Path below the repository. */
  readonly path: string;
  readonly text: string;
  readonly ast: ts.SourceFile;
}

/** Every TypeScript file below a folder, parsed. */
export function sourcesBelow(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => {
      const path = relative(ROOT, join(ROOT, folder, name));
      const text = readFileSync(join(ROOT, path), 'utf8');
      return { path, text, ast: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
    });
}

/** Modules a file imports, type-only imports included, as written. */
export function importsOf(file: SourceFile): string[] {
  return file.ast.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    return statement.moduleSpecifier !== undefined && ts.isStringLiteral(statement.moduleSpecifier)
      ? [statement.moduleSpecifier.text]
      : [];
  });
}

/** Calls back for every node of a file. */
export function walk(file: SourceFile, visit: (node: ts.Node) => void): void {
  const each = (node: ts.Node): void => {
    visit(node);
    ts.forEachChild(node, each);
  };
  each(file.ast);
}

export function lineOf(file: SourceFile, node: ts.Node): number {
  return file.ast.getLineAndCharacterOfPosition(node.getStart()).line + 1;
}

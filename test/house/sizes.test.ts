import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { lineOf, sourcesBelow, walk } from './sources.ts';

const FILES = [...sourcesBelow('src'), ...sourcesBelow('kernel')];
const FILE_WALL = 400;
const FUNCTION_WALL = 60;
/** Three parameters, then options; the steps of an exchange are given what they need by name, two more. */
const PARAMETER_WALL = 6;

describe('sizes', () => {
  it(`no file is longer than ${FILE_WALL} lines`, () => {
    expect(FILES.filter((file) => file.text.split('\n').length > FILE_WALL).map((file) => file.path)).toEqual([]);
  });

  it(`no function is longer than ${FUNCTION_WALL} lines`, () => {
    const long: string[] = [];
    for (const file of FILES) {
      walk(file, (node) => {
        if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return;
        const lines = file.ast.getLineAndCharacterOfPosition(node.getEnd()).line + 2 - lineOf(file, node);
        if (lines > FUNCTION_WALL) long.push(`${file.path}:${lineOf(file, node)} has ${lines} lines`);
      });
    }
    expect(long).toEqual([]);
  });

  it(`no function takes more than ${PARAMETER_WALL} parameters`, () => {
    const wide: string[] = [];
    for (const file of FILES) {
      walk(file, (node) => {
        if (ts.isFunctionLike(node) && node.parameters.length > PARAMETER_WALL)
          wide.push(`${file.path}:${lineOf(file, node)} takes ${node.parameters.length}`);
      });
    }
    expect(wide).toEqual([]);
  });

  it('nothing is of type any', () => {
    const found: string[] = [];
    for (const file of FILES) {
      walk(file, (node) => {
        if (node.kind === ts.SyntaxKind.AnyKeyword) found.push(`${file.path}:${lineOf(file, node)}`);
      });
    }
    expect(found).toEqual([]);
  });

  it('the words of HOUSE.md are kept out of names', () => {
    const avoided = /\b(?:whitelist|blacklist|mitm|sanitize|helper|util)\b/i;
    const found = FILES.flatMap((file) =>
      file.text.split('\n').map((line, index) => ({ line, at: `${file.path}:${index + 1}` })),
    ).filter(({ line }) => avoided.test(line) && !line.includes('http-mitm-proxy') && !line.includes("'node:util'"));
    expect(found.map(({ at }) => at)).toEqual([]);
  });

  it('nothing is left over', () => {
    const left = /\b(?:TODO|FIXME|XXX|HACK)\b|@ts-ignore|\bas any\b/;
    const found = [...FILES, ...sourcesBelow('test')]
      .filter((file) => !file.path.startsWith('test/house/'))
      .filter((file) => left.test(file.text));
    expect(found.map((file) => file.path)).toEqual([]);
  });
});

import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsOf, sourcesBelow } from './sources.ts';

const FILES = sourcesBelow('src');
const LEAVES = [
  'config',
  'decision-point',
  'identity',
  'policy',
  'network',
  'tls',
  'http1',
  'limits',
  'scan',
  'audit',
  'telemetry',
  'workers',
];
/** Rooms that may touch sockets, files and clocks (HOUSE.md, "Imports"). `policy` reads its files in one place. */
const MAY_TOUCH =
  /^src\/(?:proxy|control|decision-point|network|tls|cli)\/|\/(?:sinks|stores)\/|^src\/(?:main|control-plane|data-plane|primary|worker)\.ts$|^src\/workers\/fleet\.ts$|^src\/version\.ts$|^src\/config\/load\.ts$|^src\/policy\/source\.ts$|^src\/telemetry\//;

function room(path: string): string {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? 'main';
}

function target(from: string, specifier: string): string {
  return normalize(join(dirname(from), specifier));
}

/** Whether one room may import another. */
function allowed(from: string, to: string): boolean {
  if (from === to || to === 'model') return true;
  if (from === 'model') return false;
  // Matching in linear time is what both rules and detectors are made of.
  if (to === 'pattern') return ['policy', 'scan', 'cli'].includes(from);
  if (from === 'pattern') return false;
  if (LEAVES.includes(from)) return false;
  if (from === 'proxy') return LEAVES.includes(to);
  if (from === 'control') return LEAVES.includes(to);
  return from === 'main' || from === 'cli';
}

describe('imports', () => {
  it('go only in the directions HOUSE.md allows', () => {
    const wrong = FILES.flatMap((file) =>
      importsOf(file)
        .filter((each) => each.startsWith('.'))
        .filter((each) => !allowed(room(file.path), room(target(file.path, each))))
        .map((each) => `${file.path} imports ${each}`),
    );
    expect(wrong).toEqual([]);
  });

  it('form no cycle, but of types', () => {
    const graph = new Map(
      FILES.map((file) => {
        const runtime = file.text.match(/^(?:import|export) (?!type )[^;]*?from '(\.[^']+)';/gm) ?? [];
        return [file.path, runtime.map((line) => target(file.path, /'([^']+)'/.exec(line)?.[1] ?? ''))];
      }),
    );
    const cycles: string[] = [];
    const visit = (path: string, trail: string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      else if (trail.length < 40)
        for (const next of graph.get(path) ?? []) if (!done.has(next)) visit(next, [...trail, path]);
      done.add(path);
    };
    const done = new Set<string>();
    for (const path of graph.keys()) visit(path, []);
    expect(cycles).toEqual([]);
  });

  it('touch sockets, files and processes only where they may', () => {
    const outside = FILES.filter((file) => !MAY_TOUCH.test(file.path));
    const wrong = outside.flatMap((file) =>
      importsOf(file)
        .filter((each) => /^node:(?:fs|http|https|tls|dns|dgram|child_process|timers)/.test(each))
        .map((each) => `${file.path} imports ${each}`),
    );
    expect(wrong).toEqual([]);
  });

  it('name things: no default exports, no barrels', () => {
    const wrong = FILES.filter((file) => /^export default|^export \* from/m.test(file.text)).map((file) => file.path);
    expect(wrong).toEqual([]);
  });
});

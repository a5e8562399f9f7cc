import type { Target } from '../model/target.ts';

/** The YAML that would allow exactly this request and no more; empty where that cannot be written (a star in the path). */
export function remedyFor(agent: string, method: string, target: Target, path: string): string {
  if (path !== '/**' && path.includes('*')) return '';
  const line = `${method} ${target.scheme}://${target.authority}${path}`;
  return `agents:\n  ${agent}:\n    allow:\n      - ${/[*'"#{}[\]&!|>%@`,]|: /.test(line) ? JSON.stringify(line) : line}\n`;
}

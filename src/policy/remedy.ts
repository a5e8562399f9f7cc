import type { Target } from '../model/target.ts';

/** The YAML that would allow exactly this request and no more; empty where that cannot be written (a star in the path). */
export function remedyFor(agent: string, method: string, target: Target, path: string, websocket: boolean): string {
  if (path !== '/**' && path.includes('*')) return '';
  const head = `agents:\n  ${agent}:\n    allow:\n`;
  if (websocket) {
    const port = target.authority.endsWith(`:${target.port}`) ? `, port: ${target.port}` : '';
    const host = JSON.stringify(target.host.text);
    return `${head}      - { scheme: ${target.scheme}, host: ${host}${port}, methods: [GET], paths: [${JSON.stringify(path)}], websocket: {} }\n`;
  }
  const line = `${method} ${target.scheme}://${target.authority}${path}`;
  return `${head}      - ${/[*'"#{}[\]&!|>%@`,]|: /.test(line) ? JSON.stringify(line) : line}\n`;
}

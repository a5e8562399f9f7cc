import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { BodyFacts, Facts } from '../../src/model/facts.ts';
import { NO_CHANGED_TOOLS } from '../../src/policy/content/tools.ts';
import { canonicalPath, splitTarget } from '../../src/model/path.ts';
import { DEFAULT_PORT, makeTarget, parseAuthority } from '../../src/model/target.ts';
import { loadPolicy, type LoadResult } from '../../src/policy/load.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { formatProblem } from '../../src/policy/problem.ts';

export const HASH: string = 'a'.repeat(64);

/** Loads rule files from a folder that exists only meanwhile. */
export function loadFiles(files: Readonly<Record<string, string>>): LoadResult {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-rules-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, 'rules', name)), { recursive: true });
      writeFileSync(join(folder, 'rules', name), text);
    }
    return loadPolicy(join(folder, 'rules'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The problems of one rule file as `check` prints them, its path shortened to its name. */
export function problemsOf(text: string): string[] {
  return loadFiles({ 'a.yaml': text }).problems.map((problem) =>
    formatProblem({ ...problem, place: { ...problem.place, file: 'a.yaml' } }),
  );
}

/** A policy with agent `bot`, whose further lines are indented by four. */
export function botPolicy(lines: string, rest = ''): Policy {
  const { policy, problems } = loadFiles({
    'a.yaml': `version: 1\nagents:\n  bot:\n    identity: { token: "sha256:${HASH}" }\n${lines}${rest}`,
  });
  if (policy === null) throw new Error(problems.map(formatProblem).join('\n'));
  return policy;
}

/** Facts of a request by agent `bot`. */
export function request(
  method: string,
  url: string,
  headers: readonly string[] = [],
  body: BodyFacts = { kind: 'none' },
): Facts {
  const match = /^(https?|tcp|wss?):\/\/([^/?]+)(.*)$/.exec(url);
  const given = match?.[1] ?? 'https';
  const websocket = given.startsWith('ws');
  const scheme = (websocket ? given.replace('ws', 'http') : given) as 'http' | 'https' | 'tcp';
  const authority = parseAuthority(match?.[2] ?? '');
  if (authority === null) throw new Error(`not a URL: ${url}`);
  const rest = match?.[3] ?? '';
  const { path, query } = splitTarget(rest.startsWith('/') ? rest : `/${rest}`);
  return {
    agent: 'bot',
    source: '127.0.0.1',
    target: makeTarget(scheme, authority.host, authority.port ?? DEFAULT_PORT[scheme] ?? 1),
    method,
    websocket,
    path: canonicalPath(path),
    query,
    headers,
    body,
    changedTools: NO_CHANGED_TOOLS,
    granted: null,
  };
}

/** A body as the gate would have read it. */
export function wholeBody(content: string | Buffer, contentType = 'application/json'): BodyFacts {
  return { kind: 'whole', bytes: Buffer.from(content), contentType: [contentType] };
}

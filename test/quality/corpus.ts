import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes of one file that are read, and files of one folder's kind that are, so that no kind drowns the others. */
const LARGEST = 8 * 1024 * 1024;

/** What any Debian machine with this repository on it has: documentation, headers, packages, lock files, programs, pictures. */
const FOLDERS: ReadonlyArray<readonly [string, number]> = [
  ['/usr/share/doc', 60],
  ['/usr/include', 40],
  ['/usr/lib/python3', 30],
  ['/usr/share/perl', 20],
  ['/usr/share/man', 20],
  ['/usr/share/icons', 15],
  ['/usr/bin', 40],
  ['/usr/share/locale', 15],
  ['node_modules', 80],
  ['docs', 10],
  ['src', 10],
];
const MEGABYTE = 1_000_000;

/** Files of the corpus one after another, at most so many megabytes of each folder; every nth of what is too much. */
export function* corpus(): Generator<{ readonly name: string; readonly bytes: Buffer }> {
  for (const [folder, megabytes] of FOLDERS) {
    if (!existsSync(folder)) continue;
    let left = megabytes * MEGABYTE;
    for (const name of filesBelow(folder)) {
      if (left <= 0) break;
      const bytes = readFileSync(name).subarray(0, LARGEST);
      left -= bytes.length;
      yield { name, bytes };
    }
  }
  yield* traffic();
}

function* filesBelow(folder: string): Generator<string> {
  let entries: string[];
  try {
    entries = readdirSync(folder).sort();
  } catch {
    return;
  }
  for (const entry of entries) {
    const path = join(folder, entry);
    const kind = lstatSync(path);
    if (kind.isDirectory()) yield* filesBelow(path);
    else if (kind.isFile() && kind.size > 0) yield path;
  }
}

/** Shapes of what agents send: chats about security, a push, a package, telemetry. */
function* traffic(): Generator<{ readonly name: string; readonly bytes: Buffer }> {
  const pages = readdirSync('docs/reference').filter((name) => name.endsWith('.md'));
  for (const page of ['SECURITY.md', 'README.md', ...pages.map((name) => `docs/reference/${name}`)]) {
    const content = readFileSync(page, 'utf8');
    const messages = [
      {
        role: 'system',
        content: 'You review the security of a service. Never print a password, a token or an API key.',
      },
      { role: 'user', content: `Where could a secret leak here?\n\n${content.slice(0, 60_000)}` },
      {
        role: 'assistant',
        content: 'password handling looks fine; api_key is read from the environment: process.env.API_KEY',
      },
    ];
    yield {
      name: `chat about ${page}`,
      bytes: Buffer.from(JSON.stringify({ model: 'm', max_tokens: 1024, messages })),
    };
  }
  const pack = execFileSync('git', ['pack-objects', '--all', '--stdout', '-q'], {
    input: '',
    maxBuffer: 400 * MEGABYTE,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  yield { name: 'git pack of this repository', bytes: pack.subarray(0, 20 * MEGABYTE) };
  const spans = Array.from({ length: 2000 }, (_, index) => ({
    traceId: (index * 2654435761).toString(16).padStart(32, '0'),
    spanId: (index * 40503).toString(16).padStart(16, '0'),
    name: 'GET /v1/items/{id}',
    startTimeUnixNano: String(1_700_000_000_000_000_000n + BigInt(index) * 1_000_003n),
    attributes: [
      { key: 'http.status_code', value: { intValue: '200' } },
      {
        key: 'session.id',
        value: { stringValue: `0b${index.toString(36)}-77aa-4c1e-9b1d-${String(index).padStart(12, '0')}` },
      },
    ],
  }));
  yield { name: 'telemetry', bytes: Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] })) };
}

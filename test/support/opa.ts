import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './parents.ts';

/** The policy of these tests, in Rego. */
export const REGO = `package sallyport

default allow := false

allow if input.method == "GET"

allow if input.body.json.amount < 100

verdict := {"allow": allow, "reason": "writing is for people"}

told := {"allow": false, "reason": json.marshal(input)}

words := "yes"
`;

/** The `opa` on the PATH, or the one scripts/test-tools.sh built; null where there is neither. */
export const OPA: string | null = findOpa();

function findOpa(): string | null {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const built = join(cache, 'sallyport-test-tools/opa');
  if (existsSync(built)) return built;
  try {
    return execFileSync('which', ['opa'], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

/** What tests of the Data API ran against, for their output. */
export const OPA_NAME: string =
  OPA === null
    ? 'the conformance server of these tests, for there is no opa here'
    : `Open Policy Agent ${/^Version: (.*)$/m.exec(execFileSync(OPA, ['version'], { encoding: 'utf8' }))?.[1] ?? ''}`;

export interface Opa {
  readonly url: string;
  /** Stops it at once, as a crash would. */
  kill(): Promise<void>;
}

/** An OPA server with `REGO`, asking for this bearer token where one is given. */
export async function startOpa(token: string | null = null): Promise<Opa> {
  return OPA === null ? startConformanceServer(token) : startRealOpa(OPA, token);
}

async function startRealOpa(binary: string, token: string | null): Promise<Opa> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-opa-'));
  writeFileSync(join(folder, 'policy.rego'), REGO);
  const port = await freePort();
  const files = [join(folder, 'policy.rego')];
  const auth = token === null ? [] : ['--authentication=token', '--authorization=basic'];
  if (token !== null) {
    writeFileSync(
      join(folder, 'authz.rego'),
      `package system.authz\n\ndefault allow := false\n\nallow if input.identity == "${token}"\n\nallow if input.path == ["health"]\n`,
    );
    files.push(join(folder, 'authz.rego'));
  }
  const child = spawn(
    binary,
    ['run', '--server', '--disable-telemetry', `--addr=127.0.0.1:${port}`, '--log-level=error', ...auth, ...files],
    { stdio: 'ignore' },
  );
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const end = Date.now() + 20_000;
  while (
    !(await fetch(`${url}/health`).then(
      (answer) => answer.ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > end) throw new Error('opa did not start');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    url,
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Answers the Data API as OPA documents it ("Get a Document (with Input)"), for the rules of `REGO` alone. */
async function startConformanceServer(token: string | null): Promise<Opa> {
  interface Input {
    method: string;
    body: { json?: { amount?: number } };
  }
  const rules: Record<string, (input: Input) => unknown> = {
    allow: (input) => input.method === 'GET' || (input.body.json?.amount ?? Infinity) < 100,
    verdict: (input) => ({ allow: rules['allow']?.(input), reason: 'writing is for people' }),
    told: (input) => ({ allow: false, reason: JSON.stringify(input) }),
    words: () => 'yes',
  };
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const right = token === null || request.headers.authorization === `Bearer ${token}`;
      const name = /^\/v1\/data\/sallyport\/(\w+)$/.exec(request.url ?? '')?.[1] ?? '';
      const { input } = JSON.parse(Buffer.concat(pieces).toString()) as { input: Input };
      response.writeHead(right ? 200 : 401, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(right ? { result: rules[name]?.(input) } : { code: 'unauthorized' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    kill: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** `REGO` compiled to WebAssembly, in a file of this folder. */
export function compileWasm(binary: string, folder: string, rego: string = REGO): string {
  writeFileSync(join(folder, 'policy.rego'), rego);
  const entrypoints = ['allow', 'verdict', 'words', 'listed'].flatMap((name) =>
    rego.includes(`\n${name} `) ? ['-e', `sallyport/${name}`] : [],
  );
  const bundle = join(folder, 'bundle.tar.gz');
  execFileSync(binary, ['build', '-t', 'wasm', ...entrypoints, join(folder, 'policy.rego'), '-o', bundle]);
  execFileSync('tar', ['-xzf', bundle, '-C', folder, '/policy.wasm'], { stdio: 'ignore' });
  return join(folder, 'policy.wasm');
}

// What asking an external policy costs a request: compiled to WebAssembly in the gate, and an OPA server on this machine.
//   npm run build && bash scripts/test-tools.sh && node test/bench/decision-points.js
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';

const dist = resolve(import.meta.dirname, '../../dist');
const load = (name) => import(join(dist, name));
const [{ loadPolicy }, { decide }, { factsOfRequest }, { consult }, { OpaServer }, { WasmPolicy }] = await Promise.all(
  [
    'policy/load',
    'policy/decide',
    'policy/request',
    'decision-point/consult',
    'decision-point/opa',
    'decision-point/wasm',
  ].map((name) => load(`${name}.js`)),
);

const built = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sallyport-test-tools/opa');
const opa = existsSync(built) ? built : 'opa';
const folder = mkdtempSync(join(tmpdir(), 'sallyport-points-'));
const at = (name) => join(folder, name);
const PORT = 28_181;
writeFileSync(
  at('policy.rego'),
  'package sallyport\n\ndefault allow := false\n\nallow if {\n  input.agent == "bot"\n  input.segments[0] == "v1"\n  input.body.json.amount < 100\n}\n',
);
writeFileSync(
  at('a.yaml'),
  'version: 1\nagents:\n  bot: { identity: { networks: [127.0.0.1] }, allow: ["POST https://api.test/**"] }\n',
);
execFileSync(opa, ['build', '-t', 'wasm', '-e', 'sallyport/allow', at('policy.rego'), '-o', at('bundle.tar.gz')]);
execFileSync('tar', ['-xzf', at('bundle.tar.gz'), '-C', folder, '/policy.wasm'], { stdio: 'ignore' });
const server = spawn(opa, [
  'run',
  '--server',
  '--disable-telemetry',
  `--addr=127.0.0.1:${PORT}`,
  '--log-level=error',
  at('policy.rego'),
]);
try {
  const url = new URL(`http://127.0.0.1:${PORT}`);
  for (
    let tries = 0;
    tries < 200 &&
    !(await fetch(`${url}health`).then(
      (answer) => answer.ok,
      () => false,
    ));
    tries++
  )
    await new Promise((done) => setTimeout(done, 50));
  const { policy } = loadPolicy(at('a.yaml'));
  const body = {
    kind: 'whole',
    bytes: Buffer.from(JSON.stringify({ amount: 1, text: 'x'.repeat(900) })),
    contentType: ['application/json'],
  };
  const facts = factsOfRequest({
    agent: 'bot',
    method: 'POST',
    url: 'https://api.test/v1/pay?x=1',
    headers: [],
    body,
  }).value;
  const wasm = new WasmPolicy({ bytes: readFileSync(at('policy.wasm')), entrypoint: 'sallyport/allow', data: {} });
  const remote = new OpaServer({ url, path: 'sallyport/allow', timeout: 5000, trust: createSecureContext() });
  await measure('in the gate (WebAssembly)', wasm, 20_000);
  await measure('a server on this machine', remote, 5000);
  remote.close();

  async function measure(name, point, count) {
    const asked = { points: [point], headers: new Set(), body: true };
    const times = [];
    for (let i = 0; i < count * 2; i++) {
      const began = performance.now();
      const { kind } = await consult(decide(facts, policy), facts, asked);
      if (kind !== 'allow') throw new Error(`${name} denies`);
      if (i >= count) times.push((performance.now() - began) * 1000);
    }
    times.sort((a, b) => a - b);
    console.log(`${name}: ${times[count >> 1].toFixed(0)} µs, p99 ${times[Math.floor(count * 0.99)].toFixed(0)} µs`);
  }
} finally {
  server.kill();
  rmSync(folder, { recursive: true });
}

// The policy alone: how long rules take to load, and what a decision costs, with 10 rules and with 100,000.
//   npm run build && node test/bench/policy.js
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const dist = resolve(import.meta.dirname, '../../dist');
const load = (name) => import(join(dist, name));
const [{ loadPolicy }, { decide }, { parseHost }, { makeTarget }, { canonicalPath }] = await Promise.all(
  ['policy/load.js', 'policy/decide.js', 'model/host.js', 'model/target.js', 'model/path.js'].map(load),
);

const folder = mkdtempSync(join(tmpdir(), 'sallyport-policy-'));
try {
  for (const size of [10, 1000, 100_000]) for (const shape of ['hosts', 'paths']) run(size, shape);
  runContent();
} finally {
  rmSync(folder, { recursive: true });
}

function run(size, shape) {
  const rules = join(folder, `${shape}-${size}`);
  mkdirSync(rules);
  const perFile = 10_000;
  const names = [];
  for (let at = 0; at < size; at += perFile) {
    const name = `part${at}`;
    names.push(name);
    const lines = Array.from({ length: Math.min(perFile, size - at) }, (_, i) =>
      shape === 'hosts'
        ? `      - GET https://h${at + i}.example.com/v1/items/**\n`
        : `      - GET https://api.example.com/v1/items/${at + i}/**\n`,
    );
    writeFileSync(
      join(rules, `${name}.yaml`),
      `version: 1\ncapabilities:\n  ${name}:\n    endpoints:\n${lines.join('')}`,
    );
  }
  writeFileSync(
    join(rules, 'agent.yaml'),
    `version: 1\nagents:\n  bot: { identity: { networks: [10.0.0.1] }, capabilities: [${names.join(', ')}] }\n`,
  );
  const before = performance.now();
  const { policy, problems } = loadPolicy(rules);
  const loaded = performance.now() - before;
  if (policy === null) throw new Error(problems[0].message);
  const last = size - 1;
  const target = makeTarget('https', parseHost(shape === 'hosts' ? `h${last}.example.com` : 'api.example.com'), 443);
  const facts = {
    agent: 'bot',
    source: '10.0.0.1',
    target,
    method: 'GET',
    websocket: false,
    path: canonicalPath(`/v1/items/${shape === 'hosts' ? 'x' : last}/y`),
    query: null,
    headers: [],
    body: { kind: 'none' },
    changedTools: new Set(),
    granted: null,
  };
  const rounds = 300_000;
  for (let i = 0; i < 50_000; i++) decide(facts, policy);
  const start = performance.now();
  for (let i = 0; i < rounds; i++) decide(facts, policy);
  const cost = ((performance.now() - start) / rounds) * 1000;
  if (decide(facts, policy).kind !== 'allow') throw new Error('the rule was not found');
  process.stdout.write(
    `${String(size).padStart(7)} ${shape}: load ${loaded.toFixed(0)} ms, decide ${cost.toFixed(2)} µs\n`,
  );
}

/** Five predicates on a JSON body of 4 KiB: every decision reads it anew, as the gate does. */
function runContent() {
  const rules = join(folder, 'content');
  mkdirSync(rules);
  writeFileSync(
    join(rules, 'agent.yaml'),
    `version: 1
agents:
  bot:
    identity: { networks: [10.0.0.1] }
    allow:
      - host: api.example.com
        methods: [POST]
        paths: [/v1/mail]
        body:
          json:
            /from/email: bot@example.com
            /to/*/email: { glob: "*@example.com" }
            /subject: { matches: "[A-Za-z0-9 ]+", max-length: 100 }
            /priority: { minimum: 1, maximum: 5 }
            /attachments: { absent: true }
`,
  );
  const { policy } = loadPolicy(rules);
  const to = Array.from({ length: 40 }, (_, i) => ({ email: `user${i}@example.com`, name: `A person called ${i}` }));
  const mail = { from: { email: 'bot@example.com' }, to, subject: 'Hello there', priority: 3, text: '' };
  mail.text = 'x'.repeat(4096 - JSON.stringify(mail).length);
  const bytes = Buffer.from(JSON.stringify(mail));
  const facts = {
    agent: 'bot',
    source: '10.0.0.1',
    target: makeTarget('https', parseHost('api.example.com'), 443),
    method: 'POST',
    websocket: false,
    path: canonicalPath('/v1/mail'),
    query: null,
    headers: [],
    body: { kind: 'whole', bytes, contentType: ['application/json'] },
    changedTools: new Set(),
    granted: null,
  };
  for (let i = 0; i < 5_000; i++) decide(facts, policy);
  const times = [];
  for (let i = 0; i < 20_000; i++) {
    const start = performance.now();
    const decision = decide(facts, policy);
    times.push((performance.now() - start) * 1000);
    if (decision.kind !== 'allow') throw new Error(decision.detail);
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(times.length * share)].toFixed(1);
  process.stdout.write(`content: decide ${bytes.length} bytes, p50 ${at(0.5)} µs, p99 ${at(0.99)} µs\n`);
}

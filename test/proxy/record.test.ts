import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifySegment } from '../../src/audit/verify.ts';
import { TestCa } from '../support/certificates.ts';
import { ask, openTls, answered } from '../support/client.ts';
import { TOKEN_HASH, startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { until } from '../support/until.ts';

let ca: TestCa;
let origin: Origin;
const open: TestGate[] = [];
beforeAll(async () => {
  ca = await TestCa.create();
  origin = await startOrigin({ tls: await ca.leaf(['api.test']) });
});
afterAll(async () => {
  for (const gate of open) await gate.close();
  await origin.close();
});

async function gateWith(rules: string): Promise<TestGate> {
  const gate = await startGate({
    rules: { 'a.yaml': rules },
    pins: [`api.test:443=127.0.0.1:${origin.port}`],
    upstreamCa: ca.certificate,
  });
  open.push(gate);
  return gate;
}
const bot = (lines: string): string =>
  `version: 1\nagents:\n  bot:\n    identity: { token: "${TOKEN_HASH}" }\n${lines}`;
const get = (gate: TestGate, path: string) =>
  ask(gate, 'api.test:443', `GET ${path} HTTP/1.1\r\nHost: api.test\r\n\r\n`);

describe('the audit log', () => {
  it('holds an intent and an outcome for each exchange, chained, without query values', async () => {
    const gate = await gateWith(bot('    allow: ["GET https://api.test/**"]\n'));
    const secret = ['sk', 'live', '123'].join('-');
    const client = await get(gate, `/p?key=${secret}&${secret}`);
    const outcome = await gate.outcome();
    const [intent] = gate.events();
    expect(intent).toMatchObject({
      kind: 'intent',
      agent: 'bot',
      method: 'GET',
      path: '/p',
      target: 'https://api.test:443',
    });
    expect(outcome).toMatchObject({
      kind: 'outcome',
      decision: 'allow',
      outcome: 'delivered',
      status: 200,
      host: 'api.test',
      exchange: intent?.exchange,
      query: [
        { name: 'key', length: secret.length },
        { name: '', length: secret.length },
      ],
      address: `pinned 127.0.0.1:${origin.port}`,
    });
    expect(outcome).toHaveProperty('rule', 'rules/a.yaml:5: GET https://api.test/**');
    expect(gate.auditText()).not.toContain(secret);
    // The other two say that a segment began, and under which rules.
    expect(verifySegment(gate.auditText())).toMatchObject({ ok: true, events: 4 });
    await client.close();
  });

  it('shows a change, a deletion and a swap of lines', async () => {
    const gate = await gateWith(bot('    allow: ["GET https://api.test/**"]\n'));
    const client = await get(gate, '/x');
    await gate.outcome();
    const text = gate.auditText();
    const lines = text.split('\n').slice(0, -1);
    expect(verifySegment(text.replace('"/x"', '"/y"'))).toMatchObject({ ok: false });
    expect(verifySegment(`${[lines[0], lines[2]].join('\n')}\n`)).toMatchObject({ ok: false });
    expect(verifySegment(`${[lines[0], lines[2], lines[1]].join('\n')}\n`)).toMatchObject({ ok: false });
    await client.close();
  });

  it('that cannot be written denies, and the gate says it is not ready', async () => {
    const gate = await gateWith(bot('    allow: ["GET https://api.test/**"]\n'));
    const folder = join(gate.folder, 'state/audit');
    const before = origin.requests.length;
    // Deleted, and nothing can be put in its place.
    rmSync(folder, { recursive: true });
    writeFileSync(folder, '');
    const client = await get(gate, '/unrecorded');
    expect([client.status, client.reason]).toEqual([503, 'audit-unavailable']);
    expect(origin.requests.length).toBe(before);
    const ready = await fetch(`${gate.adminUrl}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, 'not ready: the audit log cannot be written\n']);
    await client.close();
    rmSync(folder);
    const again = await get(gate, '/recorded');
    expect(again.status).toBe(200);
    await again.close();
    const [name = ''] = readdirSync(folder);
    const text = readFileSync(join(folder, name), 'utf8');
    expect(verifySegment(text)).toMatchObject({ ok: true });
    for (const part of ['"path":"/unrecorded"', '"path":"/recorded"', '{"action":"restored"'])
      expect(text).toContain(part);
  });
});

describe('modes', () => {
  it('observe lets through and records would-deny', async () => {
    const gate = await gateWith(bot('    mode: observe\n'));
    const client = await get(gate, '/x');
    expect(client.status).toBe(200);
    expect(client.received).not.toMatch(/sallyport-warning/i);
    expect(await gate.outcome()).toMatchObject({
      decision: 'would-deny',
      reason: 'host-not-allowed',
      mode: 'observe',
      outcome: 'delivered',
    });
    await client.close();
  });

  it('warn lets through and says so in the answer', async () => {
    const gate = await gateWith(bot('    mode: warn\n'));
    const client = await get(gate, '/x');
    expect(client.received).toMatch(/Sallyport-Warning: host-not-allowed; exchange=/);
    await client.close();
  });

  it('observe does not soften the floor', async () => {
    const gate = await gateWith(bot('    mode: observe\n'));
    const malformed = await get(gate, '/a/../b');
    expect(malformed.reason).toBe('path-malformed');
    const address = await ask(gate, '127.0.0.1:443', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    expect(address.reason).toBe('address-forbidden');
    await Promise.all([malformed.close(), address.close()]);
  });

  it('of a capability overrides that of the agent', async () => {
    const gate = await gateWith(
      `${bot('    mode: observe\n    capabilities: [api.read]\n')}capabilities:\n  api.read:\n    mode: enforce\n    endpoints: ["GET https://api.test/public/**"]\n`,
    );
    const client = await get(gate, '/private');
    expect(client.reason).toBe('path-not-allowed');
    await client.close();
  });
});

describe('a reload', () => {
  it('takes effect within a tunnel, and a broken policy keeps the old one and counts', async () => {
    const gate = await gateWith(bot('    allow: ["GET https://api.test/**"]\n'));
    const client = await openTls(gate, 'api.test:443');
    const again = async (): Promise<number> => {
      client.received = '';
      client.send('GET /r HTTP/1.1\r\nHost: api.test\r\n\r\n');
      await answered(client);
      return client.status;
    };
    expect(await again()).toBe(200);
    const generation = gate.gate.snapshot().policy.generation;
    writeFileSync(join(gate.folder, 'rules/a.yaml'), bot('    alow: []\n'));
    expect(gate.gate.reload()[0]?.message).toBe('unknown key "alow"');
    expect([await again(), gate.gate.snapshot().policy.generation]).toEqual([200, generation]);
    writeFileSync(join(gate.folder, 'rules/a.yaml'), bot('    allow: ["POST https://api.test/**"]\n'));
    expect(gate.gate.reload()).toEqual([]);
    expect(await again()).toBe(403);
    const metrics = await (await fetch(`${gate.adminUrl}/metrics`)).text();
    expect(metrics).toContain('sallyport_policy_loads_total{result="failed"} 1');
    expect(metrics).toContain('sallyport_policy_loads_total{result="loaded"} 2');
    await client.close();
  });

  it('that removes the agent ends what it may do', async () => {
    const gate = await gateWith(bot('    allow: ["GET https://api.test/**"]\n'));
    const client = await openTls(gate, 'api.test:443');
    writeFileSync(join(gate.folder, 'rules/a.yaml'), 'version: 1\n');
    gate.gate.reload();
    client.send('GET /r HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await answered(client);
    expect(client.reason).toBe('agent-unknown');
    await client.close();
  });
});

describe('metrics', () => {
  it('count exchanges by agent, decision, reason and capability, and agents of no policy not at all', async () => {
    const gate = await gateWith(bot('    allow: ["GET https://api.test/ok"]\n'));
    const good = await get(gate, '/ok');
    const bad = await get(gate, '/bad');
    await until(() => gate.events().filter((event) => event.kind === 'outcome').length === 2, 'two outcomes');
    const text = await (await fetch(`${gate.adminUrl}/metrics`)).text();
    expect(text).toContain('sallyport_requests_total{agent="bot",decision="allow",reason="",capability=""} 1');
    expect(text).toContain(
      'sallyport_requests_total{agent="bot",decision="deny",reason="path-not-allowed",capability=""} 1',
    );
    expect(text).toMatch(/sallyport_request_seconds_count 2/);
    expect(text).toMatch(/sallyport_leaf_mints_total 1/);
    await Promise.all([good.close(), bad.close()]);
  });
});

describe('draining', () => {
  it('lets an exchange end, refuses new connections, and ends idle ones', async () => {
    let answer: () => void = () => undefined;
    const slow = await startOrigin({
      tls: await ca.leaf(['api.test']),
      answer: (_request, response) => (answer = () => response.end('slow')),
    });
    const gate = await startGate({
      allow: ['* https://api.test/**'],
      pins: [`api.test:443=127.0.0.1:${slow.port}`],
      upstreamCa: ca.certificate,
    });
    const busy = await openTls(gate, 'api.test:443');
    const idle = await openTls(gate, 'api.test:443');
    busy.send('GET /slow HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await until(() => slow.requests.length === 1, 'the request upstream');
    const drained = gate.gate.drain();
    await idle.gone();
    expect((await fetch(`${gate.adminUrl}/readyz`)).status).toBe(503);
    answer();
    await busy.see('slow');
    await drained;
    await gate.close();
    await slow.close();
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient, answered } from '../support/client.ts';
import { BASIC, TOKEN_HASH } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { PROGRAM, killPrograms, startProgram, type Program } from '../support/program.ts';
import { fillIn } from '../support/samples.ts';
import { eventually } from '../support/until.ts';

const RULES = `version: 1
detectors:
  acme-record:
    description: Record number of Acme
    family: secrets
    pattern: 'ACME-\\d{6}'
agents:
  bot:
    identity: { token: "${TOKEN_HASH}" }
    allow: [ "* http://api.test/**" ]
`;
const REGISTERED = ['registered', 'value', 'of', 'ours'].join('-');

const folder = mkdtempSync(join(tmpdir(), 'sallyport-offload-'));
let origin: Origin;
let gate: Program;
beforeAll(async () => {
  origin = await startOrigin();
  gate = await startProgram(folder, RULES, [
    `--upstream-pin=api.test:80=127.0.0.1:${origin.port}`,
    '--inspect-buffer=8 MiB',
  ]);
});
afterAll(async () => {
  killPrograms();
  await origin.close();
  rmSync(folder, { recursive: true, force: true });
});

async function post(body: string, path = '/x'): Promise<RawClient> {
  const client = await gate.dial();
  client.send(
    `POST http://api.test${path} HTTP/1.1\r\nHost: api.test\r\nProxy-Authorization: ${BASIC}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
  await answered(client);
  return client;
}

async function offloads(): Promise<number> {
  const text = await (await fetch(`http://${gate.admin}/metrics`)).text();
  return Number(/^sallyport_scan_offloads_total (\d+)/m.exec(text)?.[1]);
}

/** Half matches without end: as costly as it gets, and within the budget. */
const flood = 'AKIA ghp_ sk_live_ eyJ -----BEGIN '.repeat(2000);
const large = 'all is well, row 17; '.repeat(60_000);

describe('what takes long to scan', () => {
  it('goes to a thread of its own, and what is there is found', async () => {
    const before = await offloads();
    expect((await post('short')).status).toBe(200);
    expect(await offloads()).toBe(before);
    expect((await post(large)).status).toBe(200);
    expect(await offloads()).toBe(before + 1);
    const token = fillIn('ghp_{{AN:36}}', 91);
    const found = await post(`${large} ${token}`);
    expect(found.received).toContain(`secrets in byte ${large.length + 1} of the body (github-pat)`);
    expect((await post(`${large} ACME-123456`)).received).toContain('(acme-record)');
    expect(await offloads()).toBe(before + 3);
  });

  it('may be small and hostile', async () => {
    const before = await offloads();
    expect((await post(flood)).status).toBe(200);
    expect(await offloads()).toBeGreaterThan(before);
  });

  it('is looked through for values that were registered since', async () => {
    expect((await post(`${large} ${REGISTERED}`)).status).toBe(200);
    const path = `/notes/${REGISTERED}`;
    for (let round = 0; round < 2; round++) expect((await post('short', path)).status).toBe(200);
    execFileSync(
      'node',
      [PROGRAM, 'secrets', 'register', '--name', 'ours', '--stdin', '--state', join(folder, 'state')],
      {
        input: REGISTERED,
      },
    );
    await eventually(
      async () => (await post(`${large} ${REGISTERED}`)).reason === 'registered-value-found',
      'the refusal',
    );
    // What was said before is looked through again.
    expect((await post('short', path)).reason).toBe('registered-value-found');
  });

  it('holds nobody else up', async () => {
    const before = await offloads();
    const waiting = Array.from({ length: 6 }, () => post(large));
    expect((await post('short')).status).toBe(200);
    for (const each of await Promise.all(waiting)) expect(each.status).toBe(200);
    expect(await offloads()).toBe(before + 6);
  });
});

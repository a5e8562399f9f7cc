import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { afterAll, expect, it } from 'vitest';
import { GENESIS, sealLine, sealOf } from '../../../../src/audit/chain.ts';
import { serveNotary, type NotaryAnswer, type NotaryTask } from '../../../../src/audit/sinks/notary-thread.ts';
import { makeKey } from '../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-notary-thread-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('answers each checkpoint, counts its answers, and tells what was changed from what went wrong', async () => {
  const { port1, port2 } = new MessageChannel();
  const answers = new Int32Array(new SharedArrayBuffer(4));
  serveNotary({ port: port2, answers });
  const got: NotaryAnswer[] = [];
  port1.on('message', (answer: NotaryAnswer) => got.push(answer));
  const tell = (task: NotaryTask): void => port1.postMessage(task);
  const { signer } = makeKey();
  const seal = sealOf(GENESIS, Buffer.from('{}\n'));
  const text = `{}\n${sealLine(1, seal)}`;
  const file = join(folder, 'a.jsonl');
  writeFileSync(file, text);
  const ask = (id: number, of = seal): void => tell({ kind: 'checkpoint', id, to: text.length, seal: of, time: 0 });
  ask(0);
  tell({
    kind: 'open',
    segment: { file, origin: 'gate/a', previous: GENESIS, key: { name: signer.name, secret: signer.secret } },
  });
  ask(1);
  ask(2, GENESIS);
  await expect.poll(() => got.length).toBe(3);
  expect(got).toEqual([
    { id: 0, note: null, problem: 'no segment was opened', tampered: false },
    { id: 1, note: expect.stringContaining('gate/a\n1\n') as string, problem: null, tampered: false },
    { id: 2, note: null, problem: expect.stringContaining('last seal') as string, tampered: true },
  ]);
  expect(Atomics.load(answers, 0)).toBe(3);
  port1.close();
});

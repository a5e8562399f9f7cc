import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { answered, openTls } from '../support/client.ts';
import { startGate } from '../support/gate.ts';
import { startOrigin } from '../support/origin.ts';
import { randomOf } from '../support/samples.ts';
import { eventually } from '../support/until.ts';

const CLI = 'dist/cli/sallyport.js';
const folder = mkdtempSync(join(tmpdir(), 'sallyport-documents-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function prose(size: number, seed: number): string {
  const next = randomOf(seed);
  let text = '';
  while (text.length < size) text += `word${Math.floor(next() * 100_000)} `;
  return text;
}

function run(
  words: readonly string[],
  state = join(folder, 'state'),
): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync('node', [join(process.cwd(), CLI), ...words, '--state', state], {
    encoding: 'utf8',
    cwd: folder,
  });
  return { code: status, out: stdout, err: stderr };
}

const contract = prose(4000, 1);
mkdirSync(join(folder, 'papers/old'), { recursive: true });
writeFileSync(join(folder, 'papers/contract.md'), contract);
writeFileSync(join(folder, 'papers/old/letter.txt'), prose(2000, 2));
writeFileSync(join(folder, 'papers/empty.txt'), 'hello');
// Office files are archives: made by the real tool.
execFileSync('python3', [
  '-c',
  'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1],"w",zipfile.ZIP_DEFLATED); z.writestr("word/document.xml","<w:p><w:r><w:t>"+sys.argv[2]+"</w:t></w:r></w:p>"); z.close()',
  join(folder, 'papers/plan.docx'),
  prose(3000, 3),
]);

describe('documents', () => {
  it('are added, listed, found and forgotten; nothing of them is kept', () => {
    const added = run(['documents', 'add', 'papers']);
    expect(added.code).toBe(0);
    expect(added.out).toMatch(
      /^added 3 of 4 files, \d+ prints in all\. A running gate takes it up within a second\.\n$/,
    );
    expect(added.err).toBe('papers/empty.txt: left out: too short to be told from other texts\n');
    const path = join(folder, 'state/documents.json');
    expect(readFileSync(path, 'utf8')).not.toContain('word');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(
      run(['documents', 'list'])
        .out.split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(['papers/contract.md', 'papers/old/letter.txt', 'papers/plan.docx', '']);
    writeFileSync(join(folder, 'part.txt'), prose(3000, 3).slice(1000, 1500));
    expect(run(['scan', 'part.txt']).out).toContain('document:papers/plan.docx');
    expect(run(['documents', 'add', 'papers']).out).toContain('added 3 of 4 files');
    expect(run(['documents', 'list']).out.trim().split('\n')).toHaveLength(3);
    expect(run(['documents', 'remove', 'papers/old']).out).toContain('removed 1 documents');
    expect(run(['documents', 'remove', 'papers']).out).toContain('removed 2 documents');
    expect(run(['documents', 'list']).out).toBe('no document was added\n');
  });

  it.each<readonly [readonly string[], string]>([
    [['documents', 'add', 'nowhere'], 'nowhere cannot be read: ENOENT'],
    [['documents', 'remove', 'nothing'], 'no document was added as "nothing"'],
  ])('refuses %j in one line', (words, message) => {
    const { code, err } = run(words);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  it('do not leave through a gate that runs', async () => {
    const ca = await TestCa.create();
    const origin = await startOrigin({ tls: await ca.leaf(['api.test']) });
    const gate = await startGate({
      allow: ['* https://api.test/**'],
      pins: [`api.test:443=127.0.0.1:${origin.port}`],
      upstreamCa: ca.certificate,
    });
    expect(run(['documents', 'add', 'papers'], join(gate.folder, 'state')).code).toBe(0);
    const body = JSON.stringify({ summary: `see ${Buffer.from(contract.slice(500, 1100)).toString('base64')}` });
    await eventually(async () => {
      const client = await openTls(gate, 'api.test:443');
      client.send(
        `POST /x HTTP/1.1\r\nHost: api.test\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      await answered(client);
      await client.close();
      return client.received.includes('documents in /summary (document:papers/contract.md)');
    }, 'the refusal');
    const event = await gate.outcome(({ reason }) => reason === 'registered-value-found');
    expect(event.findings).toMatchObject([{ family: 'documents', action: 'deny', via: ['base64'] }]);
    await gate.close();
    await origin.close();
  });
});

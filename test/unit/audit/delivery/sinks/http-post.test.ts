import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { Refused } from '../../../../../src/audit/delivery/event.ts';
import { HttpPoster, trusted } from '../../../../../src/audit/delivery/sinks/http-post.ts';
import { TestCa } from '../../../../support/certificates.ts';
import { startReceiver, type Receiver } from '../../../../support/receiver.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-post-'));
afterAll(() => rmSync(folder, { recursive: true }));
const closers: Array<{ close(): void }> = [];
afterEach(() => closers.splice(0).forEach((each) => each.close()));

function kept<T extends { close(): void }>(each: T): T {
  closers.push(each);
  return each;
}

const posterTo = (text: string, more: { tokenFile?: string; ca?: string } = {}): HttpPoster =>
  kept(new HttpPoster({ url: { text }, tokenFile: null, ca: null, ...more }));
const receiver = async (...args: Parameters<typeof startReceiver>): Promise<Receiver> =>
  kept(await startReceiver(...args));

it('posts JSON with its token, and gives back what was answered', async () => {
  const { url, requests } = await receiver(() => ({ text: 'thanks' }));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, 'a token\n');
  expect(await posterTo(`${url}/in`, { tokenFile }).post('{"é":1}', { 'X-A': 'b' })).toBe('thanks');
  expect(requests).toMatchObject([
    {
      url: '/in',
      text: '{"é":1}',
      fields: {
        'content-type': 'application/json',
        authorization: 'Bearer a token',
        'x-a': 'b',
        'content-length': '8',
      },
    },
  ]);
});

it.each([400, 413, 422])('is refused for good by %i', async (status) => {
  const { url } = await receiver(() => ({ status, text: 'your body was: …' }));
  const failed = posterTo(url).post('{}');
  await expect(failed).rejects.toBeInstanceOf(Refused);
  await expect(failed).rejects.toThrow(`${new URL(url).host} answered ${status}`);
});

it.each([301, 401, 403, 404, 408, 429, 500, 503])('may be taken later by who answers %i', async (status) => {
  const { url } = await receiver(() => ({ status }));
  const failed = posterTo(url).post('{}');
  await expect(failed).rejects.toThrow(`answered ${status}`);
  await expect(failed).rejects.not.toBeInstanceOf(Refused);
});

it('says in a few words that nobody answers, or that the connection was cut', async () => {
  const { url } = await receiver(() => null);
  await expect(posterTo(url).post('{}')).rejects.toThrow(`${new URL(url).host}: ECONNRESET`);
  const gone = await startReceiver();
  gone.close();
  await expect(posterTo(gone.url).post('{}')).rejects.toThrow(': ECONNREFUSED');
});

it('speaks TLS with whom its CA certificates know, and with nobody else', async () => {
  const ca = await TestCa.create();
  const { url } = await receiver(undefined, await ca.leaf(['127.0.0.1']));
  const file = join(folder, 'ca.pem');
  writeFileSync(file, ca.certificate);
  expect(await posterTo(url, { ca: file }).post('{}')).toBe('');
  await expect(posterTo(url).post('{}')).rejects.toThrow(/: UNABLE_TO_VERIFY_LEAF_SIGNATURE$/);
});

it('says which file of certificates cannot be read', () => {
  expect(() => trusted(join(folder, 'none.pem'))).toThrow('none.pem cannot be read: ENOENT');
});

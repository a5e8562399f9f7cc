import { expect, it } from 'vitest';
import { makeSheet, readSheet, type SaidExchange } from '../../../../src/audit/transcripts/sheet.ts';

const said = (request: Uint8Array, response: Uint8Array | null): SaidExchange => ({
  exchange: 'x-1',
  request: { head: 'POST / http/1.1', body: { bytes: request, size: request.length, note: null } },
  response:
    response === null ? null : { head: '200 OK', body: { bytes: response, size: 9999, note: 'the first 5000 bytes' } },
});

it('holds small bodies, and says where large ones are', async () => {
  const large = Buffer.alloc(5000, 'x');
  const placed: Uint8Array[] = [];
  const place = async (bytes: Uint8Array): Promise<string> => Promise.resolve(`o-${placed.push(bytes)}`);
  const sheet = await makeSheet(said(Buffer.from('hello'), large), place);
  expect(sheet).toEqual({
    version: 1,
    exchange: 'x-1',
    request: { head: 'POST / http/1.1', body: { base64: 'aGVsbG8=', size: 5 } },
    response: { head: '200 OK', body: { object: 'o-1', size: 9999, note: 'the first 5000 bytes' } },
  });
  const fetch = async (object: string): Promise<Uint8Array> =>
    Promise.resolve(placed[Number(object.slice(2)) - 1] as Uint8Array);
  expect(await readSheet(JSON.stringify(sheet), fetch)).toEqual(said(Buffer.from('hello'), large));
});

it('may have no answer, and is read in its own version alone', async () => {
  const none = async (): Promise<never> => Promise.reject(new Error('nothing is placed'));
  const sheet = await makeSheet(said(Buffer.alloc(0), null), none);
  expect(await readSheet(JSON.stringify(sheet), none)).toEqual(said(Buffer.alloc(0), null));
  await expect(readSheet(JSON.stringify({ ...sheet, version: 2 }), none)).rejects.toThrow('another version');
});

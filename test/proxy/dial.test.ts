import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSecureContext } from 'node:tls';
import type { GuardedAddress } from '../../src/network/guard.ts';
import { makeTarget, parseAuthority } from '../../src/model/target.ts';
import { Cancellation } from '../../src/proxy/cancellation.ts';
import { dial } from '../../src/proxy/dial.ts';
import type { Witness } from '../../src/proxy/record.ts';
import { startOrigin, type Origin } from '../support/origin.ts';

let origin: Origin;
beforeAll(async () => void (origin = await startOrigin()));
afterAll(() => origin.close());

/** An address as the guard would have passed it. */
function guarded(...addresses: string[]): GuardedAddress {
  const host = parseAuthority('api.test')?.host;
  if (host === undefined) throw new Error('no host');
  const target = makeTarget('http', host, origin.port);
  return { target, addresses, port: origin.port, how: 'resolved', parent: null } as unknown as GuardedAddress;
}
const witness = { exchange: 'x' } as unknown as Witness;
const options = () => ({
  timeout: 5_000,
  trust: createSecureContext(),
  sessions: new Map<string, Buffer>(),
  cancellation: new Cancellation(),
  protocols: ['http/1.1'],
  secure: true,
  forwarded: false,
});

describe('dial()', () => {
  it('goes to the addresses that were judged and says which it reached', async () => {
    const { socket, address } = await dial(guarded('127.0.0.1'), witness, options());
    expect(address).toBe('127.0.0.1');
    socket.destroy();
    // Nothing listens on the first of the two.
    const second = await dial(guarded('127.0.0.77', '127.0.0.1'), witness, options());
    expect(second.address).toBe('127.0.0.1');
    second.socket.destroy();
  });

  it('leaves a connection whose far end is not one of them', async () => {
    // The system reaches 127.0.0.1 under this spelling; the guard judged another.
    await expect(dial(guarded('::ffff:127.0.0.1'), witness, options())).rejects.toMatchObject({
      reason: 'address-forbidden',
      message: expect.stringContaining('was not judged') as string,
    });
  });

  it('is cut off by its exchange', async () => {
    const cancellation = new Cancellation();
    const dialling = dial(guarded('127.0.0.1'), witness, { ...options(), cancellation });
    cancellation.cancel(null);
    await expect(dialling).rejects.toThrow('aborted while connecting');
    const before = origin.connections();
    await expect(dial(guarded('127.0.0.1'), witness, { ...options(), cancellation })).rejects.toThrow('aborted before');
    expect(origin.connections()).toBe(before);
  });
});

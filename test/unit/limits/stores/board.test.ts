import { createSecureContext } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RedisBoard } from '../../../../src/limits/stores/board.ts';
import { parseStoreAddress, type StoreAddress } from '../../../../src/model/store-address.ts';
import { startRedis, type TestRedis } from '../../../support/redis.ts';
import { until } from '../../../support/until.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());

it('RedisBoard shows what one puts there to all, and calls those who listen', async () => {
  const open = (): RedisBoard =>
    new RedisBoard(parseStoreAddress(redis.url) as StoreAddress, 2000, createSecureContext());
  const [one, other] = [open(), open()];
  let heard = 0;
  other.listen(() => heard++);
  // Whoever begins to listen looks once.
  await until(() => heard === 1, 'the board to be listened to');
  await one.put('agent bot', 'first');
  await one.put('agent bot', 'second');
  await until(() => heard === 3, 'both calls');
  expect(await other.read()).toEqual(['second']);
  await redis.kill();
  await expect(other.read()).rejects.toThrow();
  one.close();
  other.close();
});

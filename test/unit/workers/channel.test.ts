import { describe, expect, it } from 'vitest';
import { Channel, ChannelError } from '../../../src/workers/channel.ts';
import { failures, joined } from '../../support/remote.ts';
import { until } from '../../support/until.ts';

describe('Channel', () => {
  it('answers what is asked, in whatever order it is done', async () => {
    const [one] = joined(
      {},
      { double: (value: number) => new Promise((resolve) => setTimeout(() => resolve(value * 2), 10 - value)) },
    );
    expect(await Promise.all([1, 5, 3].map((value) => one.ask('double', value)))).toEqual([2, 10, 6]);
  });

  it('tells what went wrong at the other end, and that nobody there knows a name', async () => {
    const [one] = joined(
      {},
      {
        fails: () => {
          throw new Error('no room');
        },
      },
    );
    await expect(one.ask('fails', null)).rejects.toThrow('no room');
    await expect(one.ask('unheard', null)).rejects.toThrow(ChannelError);
  });

  it('says so where news could not be taken up, and lives on', async () => {
    const [one] = joined(
      {},
      {
        news: () => {
          throw new Error('no room');
        },
        ping: () => 'pong',
      },
    );
    failures.length = 0;
    one.tell('news', 1);
    expect(await one.ask('ping', null)).toBe('pong');
    expect(failures).toEqual(['news: no room']);
  });

  it('carries news both ways, in order', async () => {
    const heard: number[] = [];
    const [one, other] = joined(
      { news: (value: number) => heard.push(-value) },
      { news: (value: number) => heard.push(value) },
    );
    for (let i = 1; i <= 3; i++) one.tell('news', i);
    other.tell('news', 9);
    await until(() => heard.length === 4, 'the news');
    expect(heard.filter((value) => value > 0)).toEqual([1, 2, 3]);
    expect(heard).toContain(-9);
  });

  it('rejects everything that waits when it is closed, and whatever is asked later', async () => {
    const [one] = joined({}, { never: () => new Promise(() => undefined) });
    const waiting = one.ask('never', null);
    one.close();
    await expect(waiting).rejects.toThrow(ChannelError);
    await expect(one.ask('never', null)).rejects.toThrow(ChannelError);
  });

  it('sends what one turn brings in one message, and calls back just before', async () => {
    const sent: unknown[] = [];
    const calls: string[] = [];
    const port = {
      send: (message: unknown) => void (calls.push('send'), sent.push(message)),
      onMessage: () => undefined,
    };
    const channel = new Channel({
      port,
      handlers: {},
      failed: () => undefined,
      defer: setImmediate,
      beforeSend: () => void calls.push('before'),
    });
    for (let i = 0; i < 3; i++) channel.tell('news', i);
    await until(() => sent.length > 0, 'the message');
    expect(sent).toEqual([
      [
        [0, 'news', 0],
        [0, 'news', 1],
        [0, 'news', 2],
      ],
    ]);
    expect(calls).toEqual(['before', 'send']);
  });
});

import { EventEmitter } from 'node:events';
import type { CounterStore } from '../../src/limits/store.ts';
import { RemoteStore, ServedStore, type StoreQuestion } from '../../src/limits/stores/remote.ts';
import { Channel, type ChannelOptions, type Port } from '../../src/workers/channel.ts';

/** What was told and could not be done. */
export const failures: string[] = [];

type Handlers = ChannelOptions['handlers'];

/** Two ends of one channel, joined as two processes are: by JSON, later. */
export function joined(one: Handlers, other: Handlers, beforeSend?: () => void): [Channel, Channel] {
  const [here, there] = [new EventEmitter(), new EventEmitter()];
  const port = (from: EventEmitter, to: EventEmitter): Port => ({
    send: (message) => {
      const text = JSON.stringify(message);
      setImmediate(() => to.emit('message', JSON.parse(text)));
    },
    onMessage: (take) => void from.on('message', take),
  });
  const failed = (name: string, error: unknown): void => void failures.push(`${name}: ${(error as Error).message}`);
  const options = { defer: setImmediate, failed, ...(beforeSend === undefined ? {} : { beforeSend }) };
  return [
    new Channel({ port: port(here, there), handlers: one, ...options }),
    new Channel({ port: port(there, here), handlers: other, ...options }),
  ];
}

/** A store, as another process sees it. */
export function remote(store: CounterStore): CounterStore {
  const served = new ServedStore(store);
  const [channel] = joined({}, { store: (question: StoreQuestion) => served.answer(question) });
  return new RemoteStore((question) => channel.ask('store', question));
}

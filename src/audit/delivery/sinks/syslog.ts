import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { isIP } from 'node:net';
import type { SyslogSink } from '../../../model/sink.ts';
import { cefOf } from '../cef.ts';
import type { Carrier, SentEvent } from '../event.ts';
import { syslogFrame } from '../syslog-message.ts';
import { failure, trusted } from './http-post.ts';

/** Milliseconds until a connection stands, or takes what is written. */
const PATIENCE = 10_000;

/**
 * Syslog over TCP (RFC 6587) or TLS (RFC 5425). It answers nothing: what a receiver had not read when its connection broke off is
 * lost unseen, but what was written since is written again.
 */
export function openSyslog(sink: SyslogSink, version: string): Carrier<SentEvent> {
  const sender = { host: hostname(), process: process.pid };
  let socket: Socket | null = null;
  const write = async (text: string): Promise<void> => {
    if (socket === null || socket.destroyed) socket = await connected(sink);
    const one = socket;
    await within(one, (done) => one.write(text, done));
  };
  return {
    send: async (events) => {
      const frames = events.map((event) =>
        syslogFrame(event, sink.format === 'cef' ? cefOf(event, version) : event.line, sender),
      );
      try {
        await write(frames.join(''));
        return 0;
      } catch (error) {
        socket?.destroy();
        throw new Error(`${sink.host}:${sink.port}: ${failure(error)}`, { cause: error });
      }
    },
    close: () => void socket?.end(),
  };
}

async function connected(sink: SyslogSink): Promise<Socket> {
  const { host, port } = sink;
  const socket = sink.tls
    ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...trusted(sink.ca) })
    : connect({ host, port });
  socket.setNoDelay(true).setKeepAlive(true, PATIENCE);
  await within(socket, (done) => socket.once(sink.tls ? 'secureConnect' : 'connect', () => done()));
  // It has nothing to say; what it says all the same is read, so that its end is noticed.
  socket.resume();
  socket.on('end', () => socket.destroy());
  socket.on('error', () => socket.destroy());
  return socket;
}

/** Waits for something of a socket that may fail, or take too long. */
function within(socket: Socket, begin: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error('no answer for 10 s')), PATIENCE);
    const closed = (): void => finish(new Error('the connection broke off'));
    const finish = (error?: Error | null): void => {
      clearTimeout(timer);
      socket.off('error', finish).off('close', closed);
      if (error === undefined || error === null) resolve();
      else reject(error);
    };
    socket.once('error', finish).once('close', closed);
    begin(finish);
  });
}

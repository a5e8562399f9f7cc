import type { Http2Stream } from 'node:http2';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Fields } from '../../src/http1/fields.ts';
import type { ResponseHead } from '../../src/http1/head.ts';
import { StreamReader, StreamReset } from '../../src/proxy/adapters/http2-stream.ts';
import { until } from '../support/until.ts';

const head = (status: number): ResponseHead => ({
  status,
  phrase: '',
  minor: 1,
  fields: Fields.NONE,
  framing: 0,
  declared: null,
  keepAlive: true,
  connection: [],
});

/** A stream of Node in place of one of HTTP/2, whose events then come in the order that a test gives them. */
function reader(autoDestroy: boolean): { stream: PassThrough; reading: StreamReader } {
  const stream = new PassThrough({ autoDestroy });
  return { stream, reading: new StreamReader(stream as unknown as Http2Stream, false) };
}

describe('StreamReader', () => {
  it('puts a head before the bytes that came with it, though node:http2 tells of the bytes first', async () => {
    const { stream, reading } = reader(false);
    let woken = false;
    stream.write('body');
    stream.end();
    await until(() => stream.readableEnded, 'the end to be read');
    expect(reading.poll()).toBeNull();
    void reading.more().then(() => (woken = true));
    await Promise.resolve();
    expect(woken).toBe(false);
    reading.head(head(103));
    await reading.more();
    expect(reading.poll()).toMatchObject({ type: 'head', head: { status: 103 } });
    expect(reading.poll()).toBeNull();
    reading.head(head(200));
    expect(reading.poll()).toMatchObject({ type: 'head', head: { status: 200 } });
    expect(reading.poll()).toMatchObject({ type: 'body' });
    expect(reading.poll()).toMatchObject({ type: 'end' });
    stream.destroy();
  });

  it('fails where a stream is closed before any head', async () => {
    const { stream, reading } = reader(true);
    stream.end('body');
    await until(() => stream.closed, 'the stream to close');
    await reading.more();
    expect(() => reading.poll()).toThrow(StreamReset);
  });
});

import { constants } from 'node:http2';
import { describe, expect, it } from 'vitest';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  HEADERS,
  PING,
  RST_STREAM,
  SETTINGS,
  block,
  frame,
  openFrames,
  type FrameClient,
} from '../support/http2-frames.ts';
import { until } from '../support/until.ts';
import { useStage } from './stage.ts';

const stage = useStage();
type Fields = ReadonlyArray<readonly [string, string]>;
const get = (path = '/'): Fields => [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'api.test'],
  [':path', path],
];
const post = (path: string, more: Fields): Fields => [[':method', 'POST'], ...get(path).slice(1), ...more];
const headers = (stream: number, fields: Fields, flags = END_STREAM | END_HEADERS): Buffer =>
  frame(HEADERS, flags, stream, block(fields));

/** Sends frames on a connection of their own and says what came of stream 1; nothing may have reached the origin. */
async function attack(send: (client: FrameClient) => void): Promise<{ client: FrameClient; end: number | string }> {
  const before = stage.seen();
  const client = await openFrames(stage.gate);
  send(client);
  const end = await client.ended(1);
  expect(stage.seen()).toBe(before);
  return { client, end };
}

/** Reasons a request may be refused with, or the stream reset. */
describe('a request that is malformed over HTTP/2 goes nowhere', () => {
  it.each<[string, Fields]>([
    ['an upper-case name', [...get(), ['X-Upper', 'a']]],
    ['connection', [...get(), ['connection', 'x-a']]],
    ['keep-alive', [...get(), ['keep-alive', '5']]],
    ['proxy-connection', [...get(), ['proxy-connection', 'close']]],
    ['transfer-encoding', [...get(), ['transfer-encoding', 'chunked']]],
    ['upgrade', [...get(), ['upgrade', 'h2c']]],
    ['te other than trailers', [...get(), ['te', 'gzip']]],
    ['no :method', get().slice(1)],
    ['no :scheme', get().filter(([name]) => name !== ':scheme')],
    ['no :path', get().filter(([name]) => name !== ':path')],
    ['an empty :path', get('')],
    ['a :path that is a URL', get('https://evil.test/')],
    ['a :path with a space', get('/a b')],
    ['a :path with CR and LF', get('/a\r\nHost: evil.test')],
    ['two :path', [...get(), [':path', '/b']]],
    ['a pseudo-header field behind others', [['x-a', 'b'], ...get()]],
    ['a pseudo-header field nobody knows', [[':evil', 'a'], ...get()]],
    [':status in a request', [[':status', '200'], ...get()]],
    ['another :scheme', get().map(([name, value]) => [name, name === ':scheme' ? 'http' : value] as const)],
    [
      'a method the gate does not carry',
      get().map(([name, value]) => [name, name === ':method' ? 'G T' : value] as const),
    ],
    [
      'CONNECT inside the tunnel',
      [
        [':method', 'CONNECT'],
        [':authority', 'evil.test:443'],
      ],
    ],
    ['two different content-lengths', [...get(), ['content-length', '1'], ['content-length', '2']]],
    ['gate credentials inside the tunnel', [...get(), ['proxy-authorization', 'Basic eDp5']]],
    ['an expectation nobody knows', [...get(), ['expect', 'magic']]],
  ])('%s', async (_name, fields) => {
    const { client, end } = await attack((each) => each.send(headers(1, fields)));
    if (end === 'answered') expect(client.text(1)).toMatch(/"reason": "(?:request-malformed|path-malformed)"/);
    else expect([constants.NGHTTP2_PROTOCOL_ERROR, 'connection']).toContain(end);
    client.close();
  });
});

describe('a field that nghttp2 finds invalid', () => {
  // It leaves such a field out and goes on (nghttp2_option_set_no_http_messaging is off): what counts is that nothing of it
  // is ever judged or sent, and above all that it becomes no second field.
  it.each<[string, readonly [string, string]]>([
    ['CR and LF in a value', ['x-a', 'b\r\nx-evil: c']],
    ['NUL in a value', ['x-a', 'b\0c']],
    ['a space in a name', ['x a', 'b']],
    ['a line end in a name', ['x-a\r\nx-evil', 'b']],
    ['an empty name', ['', 'b']],
  ])('is not carried: %s', async (_name, field) => {
    const client = await openFrames(stage.gate);
    client.send(headers(1, [...get('/invalid'), field]));
    await client.ended(1);
    const seen = stage.secure.requests.at(-1);
    if (seen?.url === '/invalid')
      expect(Object.keys(seen.headers).sort()).toEqual(
        ['connection', 'host', 'via'].filter((name) => name in seen.headers),
      );
    client.close();
  });
});

describe('who is asked for', () => {
  it.each<[string, Fields]>([
    [
      ':authority of another host',
      get().map(([name, value]) => [name, name === ':authority' ? 'evil.test' : value] as const),
    ],
    [
      ':authority of another port',
      get().map(([name, value]) => [name, name === ':authority' ? 'api.test:8443' : value] as const),
    ],
    ['Host beside :authority', [...get(), ['host', 'evil.test']]],
    ['Host alone, of another host', [...get().filter(([name]) => name !== ':authority'), ['host', 'evil.test']]],
  ])('%s is authority-mismatch', async (_name, fields) => {
    const { client, end } = await attack((each) => each.send(headers(1, fields)));
    expect(end).toBe('answered');
    expect(client.text(1)).toContain('"reason": "authority-mismatch"');
    expect(client.text(1)).toMatch(/"status": (?:403|421)/);
    client.close();
  });
});

describe('a body that is not what was announced', () => {
  it.each([
    ['shorter', 'abc', '5'],
    ['longer', 'abcdefgh', '5'],
  ])('%s than content-length reaches nobody', async (_name, body, length) => {
    const { client, end } = await attack((each) =>
      each.send(
        headers(1, post('/upload', [['content-length', length]]), END_HEADERS),
        frame(DATA, END_STREAM, 1, Buffer.from(body)),
      ),
    );
    expect(end).toBe(constants.NGHTTP2_PROTOCOL_ERROR);
    client.close();
  });
});

describe('a connection that floods is ended', () => {
  /** Sends in steps until the gate has had enough; bounded, so that a gate that never has fails the test. */
  async function flood(step: (client: FrameClient, round: number) => void, rounds: number): Promise<FrameClient> {
    const client = await openFrames(stage.gate);
    for (let round = 0; round < rounds && !client.closed && client.goaway === null; round++) {
      step(client, round);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => client.closed || client.goaway !== null, 'the end of the connection');
    return client;
  }

  it('rapid reset: streams opened and reset at once', async () => {
    const client = await flood((each, round) => {
      for (let i = 0; i < 50; i++) {
        const stream = 1 + 2 * (round * 50 + i);
        each.send(headers(stream, get(`/reset/${stream}`)), frame(RST_STREAM, 0, stream, Buffer.from([0, 0, 0, 8])));
      }
    }, 100);
    expect(client.goaway).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });

  it('pings', async () => {
    const client = await flood((each) => {
      for (let i = 0; i < 50; i++) each.send(frame(PING, 0, 0, Buffer.alloc(8)));
    }, 100);
    expect(client.goaway).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });

  it('settings', async () => {
    const client = await flood((each) => {
      for (let i = 0; i < 50; i++) each.send(frame(SETTINGS, 0, 0, Buffer.from([0, 3, 0, 0, 0, i + 1])));
    }, 100);
    expect(client.goaway).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });

  it('continuation frames without end', async () => {
    const before = stage.seen();
    const client = await flood((each, round) => {
      if (round === 0) each.send(headers(1, get(), END_STREAM));
      each.send(frame(CONTINUATION, 0, 1, block([[`x-${round}`, 'y'.repeat(1000)]])));
    }, 5000);
    expect(client.closed || client.goaway !== null).toBe(true);
    expect(stage.seen()).toBe(before);
  });

  it('an unknown frame on a stream that was never opened', async () => {
    const client = await flood((each) => each.send(frame(DATA, 0, 77, Buffer.from('x'))), 5);
    expect(client.goaway).toBe(constants.NGHTTP2_PROTOCOL_ERROR);
  });
});

describe('a header list that is too large', () => {
  /** The stream is refused; the connection is closed for it, or the next request on it is served. */
  async function refused(send: (client: FrameClient) => void): Promise<number | string> {
    const { client, end } = await attack(send);
    if (client.goaway === null && !client.closed) {
      client.send(headers(3, get('/ok/after')));
      expect(await client.ended(3)).toBe('answered');
      expect(client.text(3)).toContain('/ok/after');
    }
    client.close();
    return end;
  }

  it('in bytes, is answered 431 by the HTTP/2 engine', async () => {
    const end = await refused((each) => {
      const fields = Array.from({ length: 90 }, (_, index) => [`x-${index}`, 'y'.repeat(900)] as const);
      const bytes = block([...get(), ...fields]);
      const pieces = Array.from({ length: Math.ceil(bytes.length / 16_000) }, (_, index) =>
        bytes.subarray(index * 16_000, (index + 1) * 16_000),
      );
      each.send(
        ...pieces.map((piece, index) =>
          frame(
            index === 0 ? HEADERS : CONTINUATION,
            (index === 0 ? END_STREAM : 0) | (index === pieces.length - 1 ? END_HEADERS : 0),
            1,
            piece,
          ),
        ),
      );
    });
    expect(end).toBe('answered');
  });

  it('in fields, is reset', async () => {
    const end = await refused((each) =>
      each.send(headers(1, [...get(), ...Array.from({ length: 250 }, (_, index) => [`x-${index}`, 'y'] as const)])),
    );
    expect(end).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });
});

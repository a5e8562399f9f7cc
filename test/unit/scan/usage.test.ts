import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { UsageMeter, tokensSaid } from '../../../src/scan/usage.ts';

async function tokens(
  type: string,
  text: string | Buffer,
  codings: string[] = [],
  sent = 400,
  step = 7,
): Promise<number> {
  const meter = new UsageMeter([type], codings);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += step) meter.push(bytes.subarray(at, at + step));
  meter.end();
  return meter.tokens(sent);
}
const sse = (...events: object[]): string => events.map((each) => `data: ${JSON.stringify(each)}\n\n`).join('');

describe('UsageMeter counts what an API says of', () => {
  it.each<[string, object, number]>([
    ['OpenAI chat', { usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } }, 15],
    ['OpenAI responses', { usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 } }, 15],
    ['OpenAI embeddings', { usage: { prompt_tokens: 8, total_tokens: 8 } }, 8],
    [
      'Anthropic, caches included',
      {
        usage: { input_tokens: 10, cache_creation_input_tokens: 100, cache_read_input_tokens: 1000, output_tokens: 5 },
      },
      1115,
    ],
    [
      'Gemini',
      { usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, thoughtsTokenCount: 20, totalTokenCount: 35 } },
      35,
    ],
    [
      'Gemini without a total',
      { usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, thoughtsTokenCount: 20 } },
      35,
    ],
    ['a list of models', { data: [{ id: 'm' }] }, 0],
    ['nonsense', { usage: { total_tokens: -5, input_tokens: 'many', output_tokens: 1e300 } }, 1e9],
  ])('%s', async (_what, body, expected) => {
    expect(await tokens('application/json; charset=utf-8', JSON.stringify(body))).toBe(expected);
    expect(await tokens('application/json', gzipSync(JSON.stringify(body)), ['gzip'])).toBe(expected);
  });

  it('a stream of Anthropic: what went in at the start, what came out at the end', async () => {
    const text = sse(
      {
        type: 'message_start',
        message: { usage: { input_tokens: 25, cache_read_input_tokens: 75, output_tokens: 1 } },
      },
      { type: 'content_block_delta', delta: { text: 'the "usage" of words' } },
      { type: 'message_delta', usage: { output_tokens: 15 } },
      { type: 'message_stop' },
    );
    expect(await tokens('text/event-stream', text)).toBe(115);
    expect(await tokens('text/event-stream', gzipSync(text), ['gzip'])).toBe(115);
  });

  it('streams of OpenAI and Gemini: the last word', async () => {
    expect(await tokens('text/event-stream', sse({ choices: [] }, { usage: { total_tokens: 42 } }))).toBe(42);
    const completed = {
      type: 'response.completed',
      response: { usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 } },
    };
    expect(
      await tokens('text/event-stream', sse({ type: 'response.created', response: { usage: null } }, completed)),
    ).toBe(7);
    const gemini = [1, 2, 3].map((count) => ({ usageMetadata: { promptTokenCount: 10, totalTokenCount: 10 + count } }));
    expect(await tokens('text/event-stream', sse(...gemini))).toBe(13);
    expect(await tokens('application/json', JSON.stringify(gemini))).toBe(13);
  });
});

describe('UsageMeter estimates', () => {
  it('what a stream used that broke off before it said so: a token for each event', async () => {
    const meter = new UsageMeter(['text/event-stream'], []);
    meter.push(
      Buffer.from(sse({ message: { usage: { input_tokens: 25, output_tokens: 1 } } }, { a: 1 }, { a: 2 }, { a: 3 })),
    );
    expect(await meter.tokens(400)).toBe(29);
  });

  it('streams that do not say: a token for each event, and four bytes of the request', async () => {
    expect(await tokens('text/event-stream', sse({ a: 1 }, { a: 2 }, { a: 3 }))).toBe(103);
  });

  it('answers that cannot be read: four bytes a token, both ways', async () => {
    expect(await tokens('application/json', 'x'.repeat(40), ['unheard-of'])).toBe(110);
    expect(await tokens('application/json', '{"usage":')).toBe(103);
    expect(await tokens('application/json', 'not gzip', ['gzip'])).toBe(102);
  });

  it('answers that are too large to be kept', async () => {
    expect(await tokens('application/json', Buffer.alloc(9_000_000, 0x20), [], 0, 1_000_000)).toBe(2_250_000);
    expect(await tokens('text/event-stream', Buffer.alloc(9_000_000, 0x61), [], 0, 1_000_000)).toBeGreaterThan(
      2_000_000,
    );
  });

  it('nothing for what is no answer of a model', async () => {
    expect(await tokens('text/html', '<p>"usage"</p>')).toBe(0);
    expect(await tokens('application/json', '')).toBe(0);
  });
});

it('tokensSaid() reads what one message says, and nothing else', () => {
  const said = (value: unknown): number => tokensSaid(Buffer.from(JSON.stringify(value)));
  expect(said({ type: 'response.done', response: { usage: { total_tokens: 253, input_tokens: 132 } } })).toBe(253);
  expect(said({ usageMetadata: { promptTokenCount: 7, responseTokenCount: 5 } })).toBe(12);
  expect(said({ type: 'response.created', response: { usage: null } })).toBe(0);
  expect(said({ text: 'the "usage" of tokens' })).toBe(0);
  expect(tokensSaid(Buffer.from('"usage but no JSON'))).toBe(0);
});

import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import OpenAI from 'openai';
import { ProxyAgent, fetch as undiciFetch } from 'undici';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { BASIC, TOKEN_HASH, startGate, type TestGate } from '../support/gate.ts';

const PACKS = join(import.meta.dirname, '../../rules/packs/llm.yaml');
const HOSTS = ['api.openai.com', 'api.anthropic.com', 'mcp.test'];

let server: Server;
let gate: TestGate;
let agents: ProxyAgent;
/** Lets the origin send its next event: none leaves before the one before it has been read. */
let readNext: () => void = () => undefined;

/** Events that wait for each other across the whole way: held back anywhere, they would never end. */
async function stream(events: readonly string[], write: (text: string) => void): Promise<void> {
  for (const [index, event] of events.entries()) {
    const read = new Promise<void>((resolve) => (readNext = resolve));
    write(event);
    if (index < events.length - 1) await read;
  }
}

const openAiEvents = [
  ...['Hel', 'lo'].map(
    (content) =>
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`,
  ),
  'data: [DONE]\n\n',
];
const anthropicEvent = (type: string, more: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const anthropicEvents = [
  anthropicEvent('message_start', {
    message: {
      id: 'm',
      type: 'message',
      role: 'assistant',
      content: [],
      model: 'm',
      stop_reason: null,
      usage: { input_tokens: 1, output_tokens: 1 },
    },
  }),
  anthropicEvent('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  anthropicEvent('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Hello' } }),
  anthropicEvent('content_block_stop', { index: 0 }),
  anthropicEvent('message_stop', {}),
];

beforeAll(async () => {
  const ca = await TestCa.create();
  const { certificate, key } = await ca.leaf(HOSTS);
  server = createServer({ cert: certificate, key }, (request, response) => {
    if (request.headers.host === 'mcp.test') {
      void serveMcp(request, response);
      return;
    }
    request.resume();
    request.on('end', () => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const events = request.headers.host === 'api.openai.com' ? openAiEvents : anthropicEvents;
      void stream(events, (text) => response.write(text)).then(() => response.end());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  gate = await startGate({
    rules: {
      'llm.yaml': readFileSync(PACKS, 'utf8'),
      'bot.yaml': `version: 1
agents:
  bot:
    identity: { token: "${TOKEN_HASH}" }
    capabilities: [llm.openai, llm.anthropic]
    allow:
      - GET,POST,DELETE https://mcp.test/mcp
      - { host: mcp.test, paths: [/tools/*], methods: [GET, POST, DELETE], mcp: { tools: [hello], arguments: { hello: { /name: { max-length: 5, optional: true } } } } }
`,
    },
    pins: [`**:443=127.0.0.1:${(server.address() as AddressInfo).port}`],
    upstreamCa: ca.certificate,
  });
  agents = new ProxyAgent({
    uri: `http://127.0.0.1:${gate.port}`,
    token: BASIC,
    requestTls: { ca: gate.ca },
    allowH2: true,
  });
});
afterAll(async () => {
  await agents.destroy();
  await gate.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

let wiped = 0;

/** A new server for each request: the SDK's stateless way. */
async function serveMcp(
  ...[request, response]: Parameters<Parameters<typeof createServer>[1] & object>
): Promise<void> {
  const mcp = new McpServer({ name: 'test', version: '1.0.0' });
  mcp.registerTool('hello', { description: 'Says hello', inputSchema: { name: z.string().optional() } }, () => ({
    content: [{ type: 'text', text: 'hello back' }],
  }));
  mcp.registerTool('wipe', { description: 'Wipes all' }, () => {
    wiped++;
    return { content: [] };
  });
  const enableJsonResponse = request.url === '/tools/json';
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse } as never);
  response.on('close', () => void transport.close());
  await mcp.connect(transport as Parameters<typeof mcp.connect>[0]);
  await transport.handleRequest(request, response);
}

/** The SDKs bring types of another undici than the one that is used. */
const through = (): never => ({ dispatcher: agents }) as never;

describe('model SDKs, with the packs that ship', () => {
  it('openai streams event by event', async () => {
    const client = new OpenAI({ apiKey: 'none', fetchOptions: through() });
    const completion = await client.chat.completions.create({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
    });
    let text = '';
    for await (const part of completion) {
      text += part.choices[0]?.delta.content ?? '';
      readNext();
    }
    expect(text).toBe('Hello');
    expect(await gate.outcome((event) => event.host === 'api.openai.com')).toMatchObject({
      capability: 'llm.openai',
      path: '/v1/chat/completions',
    });
  });

  it('openai is told why what the pack leaves out is refused', async () => {
    const client = new OpenAI({ apiKey: 'none', maxRetries: 0, fetchOptions: through() });
    await expect(client.fineTuning.jobs.list()).rejects.toMatchObject({ status: 403 });
  });

  it('@anthropic-ai/sdk streams event by event', async () => {
    const client = new Anthropic({ apiKey: 'none', fetchOptions: through() });
    const seen: string[] = [];
    for await (const event of await client.messages.create({
      model: 'm',
      max_tokens: 10,
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
    })) {
      seen.push(event.type);
      readNext();
    }
    expect(seen).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_stop',
    ]);
  });
});

describe('@modelcontextprotocol/sdk', () => {
  it('streamable HTTP: a client lists and calls tools', async () => {
    const client = new Client({ name: 'test', version: '1.0.0' });
    const transport = new StreamableHTTPClientTransport(new URL('https://mcp.test/mcp'), {
      fetch: ((url: string, options: object) => undiciFetch(url, { ...options, dispatcher: agents })) as never,
    });
    await client.connect(transport as Parameters<typeof client.connect>[0]);
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['hello', 'wipe']);
    expect((await client.callTool({ name: 'hello' })).content).toEqual([{ type: 'text', text: 'hello back' }]);
    await client.close();
  });

  it.each(['json', 'events'])(
    'is shown the tools it is granted alone, and no other exists for it (%s)',
    async (form) => {
      const client = new Client({ name: 'test', version: '1.0.0' });
      const transport = new StreamableHTTPClientTransport(new URL(`https://mcp.test/tools/${form}`), {
        fetch: ((url: string, options: object) => undiciFetch(url, { ...options, dispatcher: agents })) as never,
      });
      await client.connect(transport as Parameters<typeof client.connect>[0]);
      expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['hello']);
      expect((await client.callTool({ name: 'hello' })).content).toEqual([{ type: 'text', text: 'hello back' }]);
      await expect(client.callTool({ name: 'wipe' })).rejects.toThrow(/-32602: Unknown tool: wipe/);
      await expect(client.callTool({ name: 'hello', arguments: { name: 'too long' } })).rejects.toThrow(/403/);
      expect(wiped).toBe(0);
      await client.close();
    },
  );
});

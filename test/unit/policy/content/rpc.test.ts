import { describe, expect, it } from 'vitest';
import { NO_CHANGED_TOOLS } from '../../../../src/policy/content/tools.ts';
import { parseJson } from '../../../../src/model/json.ts';
import { McpPredicate, RpcPredicate, unknownNames } from '../../../../src/policy/content/rpc.ts';

const call = (method: string, params?: unknown, more: object = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, ...(params === undefined ? {} : { params }), ...more });

describe('RpcPredicate', () => {
  const predicate = new RpcPredicate({
    methods: ['eth_call', 'net_*'],
    arguments: { eth_call: { '/0/to': { glob: '0xabc*' } } },
  });
  const flaw = (text: string): string | null => predicate.flaw(parseJson(text))?.detail ?? null;

  it.each([
    ['a listed method', call('net_version')],
    ['one with its arguments', call('eth_call', [{ to: '0xabc1' }, 'latest'])],
    ['a notification', '{"jsonrpc":"2.0","method":"net_ping"}'],
    ['a batch', `[${call('net_version')},${call('net_peers')}]`],
  ])('allows %s', (_name, text) => {
    expect(flaw(text)).toBeNull();
  });

  it.each<[string, string, RegExp]>([
    ['another method', call('eth_sendRawTransaction'), /eth_sendRawTransaction is not allowed/],
    ['one with other arguments', call('eth_call', [{ to: '0xdef' }]), /of eth_call, \/0\/to/],
    ['one without arguments', call('eth_call'), /of eth_call/],
    ['one of a batch', `[${call('net_version')},${call('eth_sign')}]`, /eth_sign/],
    ['an empty batch', '[]', /empty/],
    ['an endless batch', `[${Array.from({ length: 101 }, () => call('net_version')).join(',')}]`, /too long/],
    ['version 1', '{"method":"net_version","id":1}', /no message/],
    ['an answer', '{"jsonrpc":"2.0","id":1,"result":{}}', /answer/],
    ['call and answer at once', call('net_version', [], { result: 1 }), /at once/],
    ['a member nobody knows', call('net_version', [], { Method: 'eth_sign' }), /does not have/],
    ['an odd name', call('x\ny'), /an odd name/],
    ['an id that is an object', call('net_version', [], { id: {} }), /the id/],
    ['something else', '5', /no message/],
  ])('does not allow %s', (_name, text, message) => {
    expect(flaw(text)).toMatch(message);
  });

  it('as a deny means one message of a batch', () => {
    const deny = new RpcPredicate({ methods: ['eth_send*'] });
    expect(deny.mayHold(parseJson(`[${call('net_version')},${call('eth_sendTransaction')}]`))).toBe(true);
    expect(deny.mayHold(parseJson(call('net_version')))).toBe(false);
    expect(deny.mayHold(parseJson('{"odd":1}'))).toBe(true);
  });

  it('does not compile arguments of what is not listed', () => {
    expect(() => new RpcPredicate({ methods: ['a'], arguments: { b: {} } })).toThrow(/"methods" does not list/);
    expect(predicate.size).toBe(2);
  });
});

describe('McpPredicate', () => {
  const predicate = new McpPredicate({
    tools: ['search', 'read_*'],
    arguments: { read_file: { '/path': { glob: '/docs/*' }, closed: true } },
    resources: ['docs://*'],
    methods: ['completion/complete'],
  });
  const flaw = (text: string, changed: ReadonlySet<string> = NO_CHANGED_TOOLS) =>
    predicate.flaw(parseJson(text), changed);

  it.each([
    ['initialize', call('initialize', { protocolVersion: '2025-06-18' })],
    ['a notification', '{"jsonrpc":"2.0","method":"notifications/initialized"}'],
    ['tools/list', call('tools/list')],
    ['a granted tool', call('tools/call', { name: 'search', arguments: { q: 'x' } })],
    ['one by its pattern', call('tools/call', { name: 'read_page' })],
    ['one with its arguments', call('tools/call', { name: 'read_file', arguments: { path: '/docs/a' } })],
    ['a resource', call('resources/read', { uri: 'docs://a' })],
    ['a method the rule names', call('completion/complete')],
    ["an answer to the server's own call", '{"jsonrpc":"2.0","id":7,"result":{}}'],
  ])('allows %s', (_name, text) => {
    expect(flaw(text)).toBeNull();
  });

  it.each<[string, string, boolean, RegExp]>([
    ['another tool', call('tools/call', { name: 'delete_all' }), true, /the tool delete_all is not granted/],
    ['a tool in a batch', `[${call('ping')},${call('tools/call', { name: 'delete_all' })}]`, true, /delete_all/],
    [
      'other arguments',
      call('tools/call', { name: 'read_file', arguments: { path: '/etc' } }),
      false,
      /read_file, \/path/,
    ],
    [
      'more arguments',
      call('tools/call', { name: 'read_file', arguments: { path: '/docs/a', x: 1 } }),
      false,
      /not listed/,
    ],
    ['no name', call('tools/call', {}), false, /not named/],
    [
      'another resource',
      call('resources/read', { uri: 'file:///etc/passwd' }),
      true,
      /resource file:\/\/\/etc\/passwd/,
    ],
    ['a prompt', call('prompts/get', { name: 'p' }), true, /prompt p/],
    ['prompts/list', call('prompts/list'), false, /prompts\/list is not allowed/],
    ['another method', call('sampling/createMessage'), false, /sampling/],
  ])('does not allow %s', (_name, text, tool, message) => {
    const found = flaw(text);
    expect([found?.reason, found?.detail]).toEqual([
      tool ? 'tool-not-found' : 'body-not-allowed',
      expect.stringMatching(message),
    ]);
  });

  it('as a deny means the tools it names, and no part of the protocol', () => {
    const deny = new McpPredicate({ tools: ['delete_*'] });
    expect(deny.mayHold(parseJson(call('tools/call', { name: 'delete_all' })))).toBe(true);
    expect(deny.mayHold(parseJson(call('tools/call', { name: 'search' })))).toBe(false);
    expect(deny.mayHold(parseJson(call('initialize')))).toBe(false);
    expect(deny.mayHold(parseJson(call('tools/call', {})))).toBe(true);
  });

  it('knows which tools to show', () => {
    expect([predicate.grants('read_x'), predicate.grants('write_x')]).toEqual([true, false]);
    expect(() => new McpPredicate({ tools: ['a'], arguments: { b: {} } })).toThrow(/"tools" does not list/);
  });

  it('does not allow a granted tool that has changed, and says so', () => {
    const search = call('tools/call', { name: 'search' });
    expect(flaw(search, new Set(['search']))).toMatchObject({ reason: 'tool-changed' });
    expect(flaw(search, new Set(['read_page']))).toBeNull();
    expect(flaw(call('tools/call', { name: 'delete_all' }), new Set(['delete_all']))?.reason).toBe('tool-not-found');
  });
});

describe('unknownNames()', () => {
  const words = (text: string, because: string | null = null) =>
    unknownNames(Buffer.from(text), because)?.map(({ id, error }) => [id, error.code, error.message]);

  it('answers each call as a server that lacks what it names', () => {
    expect(words(call('tools/call', { name: 'x' }))).toEqual([[1, -32602, 'Unknown tool: x']]);
    expect(words(call('prompts/get', { name: 'x' }))).toEqual([[1, -32602, 'Unknown prompt: x']]);
    expect(words(call('resources/read', { uri: 'x' }))).toEqual([[1, -32002, 'Resource not found']]);
    expect(words(`[${call('ping')},${call('tools/call', { name: 'x' })}]`)?.map(([, , message]) => message)).toEqual([
      'Not carried: another call of this batch names what is unknown',
      'Unknown tool: x',
    ]);
    expect(words(call('tools/call', { name: 'x' }), 'it changed')).toEqual([[1, -32602, 'it changed']]);
  });

  it('has no words for what asks for no answer', () => {
    expect(words('{"jsonrpc":"2.0","method":"tools/call","params":{"name":"x"}}')).toBeUndefined();
  });
});

import { expect, it } from 'vitest';
import { cefOf } from '../../../../src/audit/delivery/cef.ts';
import { EVENTS, denial, sent } from './support.ts';

/** Reads a line of CEF: its seven fields, then pairs. Written from the format's description, not from the writer. */
function parsed(line: string): { readonly head: readonly string[]; readonly pairs: Readonly<Record<string, string>> } {
  const parts = line.split(/(?<!(?:^|[^\\])(?:\\\\)*\\)\|/);
  const pairs: Record<string, string> = {};
  const extension = parts.slice(7).join('|');
  for (const [, key = '', value = ''] of extension.matchAll(
    /(?:^| )([A-Za-z0-9]+)=((?:\\.|[^\\=])*)(?= [A-Za-z0-9]+=|$)/g,
  ))
    pairs[key] = value.replaceAll('\\n', '\n').replace(/\\([\\=])/g, '$1');
  return { head: parts.slice(0, 7).map((part) => part.replace(/\\([\\|])/g, '$1')), pairs };
}

it('has the seven fields, and what a SIEM looks for', () => {
  const { head, pairs } = parsed(cefOf(sent(denial()), '1.2.3'));
  expect(head).toEqual([
    'CEF:0',
    'Sallyport',
    'Sallyport',
    '1.2.3',
    'host-not-allowed',
    'Bot was denied: host-not-allowed',
    '5',
  ]);
  expect(pairs).toMatchObject({
    act: 'deny',
    suser: 'bot',
    dhost: 'api.test',
    dpt: '443',
    dst: '192.0.2.7',
    src: '10.0.0.1',
    request: 'https://api.test/a?state=',
    requestMethod: 'GET',
    reason: 'host-not-allowed',
    externalId: 'x-1',
    cs1Label: 'rule',
    cs2: 'api',
    cn1: '403',
    rt: String(Date.parse(denial().time)),
    deviceExternalId: 'a.jsonl:7',
  });
});

it('escapes what would end a field: what an agent wrote stays where it is said', () => {
  const detail = 'a=b\\c|d\r\nact=allow';
  const line = cefOf(sent(denial({ agent: 'x|y\\z', detail })), '1');
  expect(line).not.toMatch(/[\r\n]/);
  const { head, pairs } = parsed(line);
  expect(head[5]).toBe('X|y\\z was denied: host-not-allowed');
  expect(pairs).toMatchObject({ act: 'deny', msg: 'a=b\\c|d\nact=allow', suser: 'x|y\\z' });
});

it.each(EVENTS)('has a line for a $kind', (event) => {
  const { pairs } = parsed(cefOf(sent(event), '1'));
  expect(pairs['cat']).toBe(event.kind);
  expect(JSON.stringify(pairs)).not.toMatch(/undefined|null/);
});

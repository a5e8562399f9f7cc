import { describe, expect, it } from 'vitest';
import { factsOfRequest } from '../../../src/policy/request.ts';

const facts = (method: string, url: string) =>
  factsOfRequest({ agent: 'bot', method, url, headers: [], body: { kind: 'none' } });

describe('factsOfRequest()', () => {
  it.each([
    ['GET', 'https://A.test/a%41?b=c', 'https://a.test:443', '/aA', 'b=c', false],
    ['POST', 'http://a.test:8080', 'http://a.test:8080', '/', null, false],
    ['GET', 'wss://a.test/ws', 'https://a.test:443', '/ws', null, true],
  ])('reads %s %s', (method, url, key, path, query, websocket) => {
    const read = facts(method, url);
    if (!read.ok) throw new Error(read.message);
    const { target, path: asked, query: given, websocket: upgrade } = read.value;
    expect([target.key, asked.canonical, given, upgrade]).toEqual([key, path, query, websocket]);
  });

  it.each([
    ['GET', 'a.test', /not an http/],
    ['GET', 'ftp://a.test/', /not an http/],
    ['GET', 'https://a@b.test/', /not an http/],
    ['get', 'https://a.test/', /not a method/],
  ])('does not read %s %s', (method, url, message) => {
    const read = facts(method, url);
    expect(read.ok ? 'read' : read.message).toMatch(message);
  });
});

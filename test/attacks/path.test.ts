import { describe, expect, it } from 'vitest';
import { ask } from '../support/client.ts';
import { useStage } from './stage.ts';

const stage = useStage({ allow: ['GET https://api.test/public/**'], deny: ['* https://api.test/public/secret/**'] });

/** Paths that one parser reads as the allowed folder and another as something else. */
const MALFORMED = [
  '/public/../admin',
  '/public/./x',
  '/public/%2e%2e/admin',
  '/public/%2E%2E/admin',
  '/public/.%2e/admin',
  '/public/..;/admin',
  '/public/..;x=1/admin',
  '/public/..',
  '/public//admin',
  '//public/x',
  '/public/%2fadmin',
  '/public/%2Fadmin',
  '/public/%5cadmin',
  '/public\\admin',
  '/public/%00',
  '/public/%0a',
  '/public/%7f',
  '/public/%zz',
  '/public/%4',
  '/public/%',
  '/public/%c0%ae%c0%ae/admin',
  '/http://evil.test/',
  `/public/${'a'.repeat(9000)}`,
];

describe('a path with more than one reading is path-malformed', () => {
  for (const path of MALFORMED) {
    it(path.slice(0, 60), async () => {
      const before = stage.seen();
      const client = await ask(stage.gate, 'api.test:443', `GET ${path} HTTP/1.1\r\nHost: api.test\r\n\r\n`);
      expect([client.status, client.reason]).toEqual([403, 'path-malformed']);
      expect(stage.seen()).toBe(before);
      await client.close();
    });
  }
});

/** What was judged is what is sent. */
const CANONICAL: Record<string, string> = {
  '/public/%61%62c': '/public/abc',
  '/public/%7euser': '/public/~user',
  '/public/a%2bb': '/public/a%2Bb',
  '/public/a%252e%252e/b': '/public/a%252e%252e/b',
  '/public/x/?a=%2e%2e/..//&b=%zz': '/public/x/?a=%2e%2e/..//&b=%zz',
  '/public/...': '/public/...',
  '/public/': '/public/',
};

describe('the canonical path is matched and sent, the query byte for byte', () => {
  for (const [sent, arrives] of Object.entries(CANONICAL)) {
    it(sent, async () => {
      const client = await ask(stage.gate, 'api.test:443', `GET ${sent} HTTP/1.1\r\nHost: api.test\r\n\r\n`);
      expect(client.status).toBe(200);
      expect(stage.secure.requests.at(-1)?.url).toBe(arrives);
      await client.close();
    });
  }
  it('an encoded letter does not slip past a deny rule', async () => {
    const client = await ask(stage.gate, 'api.test:443', 'GET /public/%73ecret/x HTTP/1.1\r\nHost: api.test\r\n\r\n');
    expect(client.reason).toBe('path-not-allowed');
    await client.close();
  });
});

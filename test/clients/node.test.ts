import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStage, run, type ClientStage } from './stage.ts';

let stage: ClientStage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

/** Each prints status and body of a GET. Node 20's own fetch needs a dispatcher to see proxy variables; Node 24 needs none. */
const SCRIPTS: Record<string, string> = {
  fetch:
    "const { EnvHttpProxyAgent, setGlobalDispatcher } = require('undici'); setGlobalDispatcher(new EnvHttpProxyAgent()); fetch(url).then(async (r) => console.log(r.status, await r.text()));",
  undici:
    "const { request, EnvHttpProxyAgent } = require('undici'); request(url, { dispatcher: new EnvHttpProxyAgent() }).then(async (r) => console.log(r.statusCode, await r.body.text()));",
  axios:
    "const axios = require('axios'); const { HttpsProxyAgent } = require('https-proxy-agent'); axios.get(url, { proxy: false, httpsAgent: new HttpsProxyAgent(process.env.HTTPS_PROXY), validateStatus: () => true, responseType: 'text', transformResponse: (x) => x }).then((r) => console.log(r.status, r.data));",
  got: "import('got').then(async ({ got }) => { const { HttpsProxyAgent } = require('https-proxy-agent'); const r = await got(url, { agent: { https: new HttpsProxyAgent(process.env.HTTPS_PROXY) }, throwHttpErrors: false, retry: { limit: 0 } }); console.log(r.statusCode, r.body); });",
};

describe.each(Object.keys(SCRIPTS))('node %s', (name) => {
  const script = (url: string): string[] => ['-e', `const url = ${JSON.stringify(url)}; ${SCRIPTS[name] ?? ''}`];
  const root = join(import.meta.dirname, '../..');

  it('is allowed', async () => {
    const { out, err } = await run(stage, process.execPath, script(`https://site.test/ok/${name}`), { cwd: root });
    expect([out, err.replaceAll(/\(node:.*\n|\(Use `node.*\n/g, '')]).toEqual([
      expect.stringMatching(/^200 .*"\/ok\//),
      '',
    ]);
  });

  it('is refused, and shows why', async () => {
    const { out } = await run(stage, process.execPath, script('https://site.test/no'), { cwd: root });
    expect(out).toMatch(/^403 [\s\S]*"reason": "path-not-allowed"/);
  });
});

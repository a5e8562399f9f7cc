// http-mitm-proxy with the best tuning we know: keep-alive on both sides. The baseline the gate was once going to be built on.
import { Agent } from 'node:https';
import { readFileSync } from 'node:fs';
import { Proxy } from 'http-mitm-proxy';

const [, , port, folder] = process.argv;
const proxy = new Proxy();
const agent = new Agent({ keepAlive: true, ca: readFileSync(`${folder}/origin-ca.pem`), servername: 'origin.bench' });
proxy.onError(() => undefined);
proxy.onRequest((context, callback) => {
  context.proxyToServerRequestOptions.host = '127.0.0.1';
  context.proxyToServerRequestOptions.agent = agent;
  callback();
});
proxy.listen({ host: '127.0.0.1', port: Number(port), sslCaDir: `${folder}/hmp`, keepAlive: true, httpsAgent: agent });

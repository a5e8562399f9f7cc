// Origin of conversations: unary gRPC that echoes its message (HTTP/2), and WebSockets that echo theirs (HTTP/1).
import { createSecureServer } from 'node:http2';
import { readFileSync } from 'node:fs';
import { WebSocketServer } from 'ws';

const [, , folder, port] = process.argv;
const pair = { cert: readFileSync(`${folder}/origin.pem`), key: readFileSync(`${folder}/origin.key`) };
const server = createSecureServer({ ...pair, allowHTTP1: true });
server.on('stream', (stream) => {
  const pieces = [];
  stream.on('error', () => undefined);
  stream.on('data', (bytes) => pieces.push(bytes));
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.concat(pieces));
  });
});
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
server.on('upgrade', (request, socket, head) =>
  sockets.handleUpgrade(request, socket, head, (each) => {
    each.on('error', () => undefined);
    each.on('message', (bytes) => each.send(bytes));
  }),
);
server.listen(Number(port), '127.0.0.1');

// Origin of what nginx has not: event streams (GET /events), and uploads. It takes bodies of Content-Length and answers when the last byte is here. nginx answers before, which would measure nothing.
import { createServer } from 'node:tls';
import { readFileSync } from 'node:fs';

const [, , folder, port] = process.argv;
const server = createServer(
  { cert: readFileSync(`${folder}/origin.pem`), key: readFileSync(`${folder}/origin.key`) },
  (socket) => {
    let left = -1;
    let head = '';
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      let body = bytes.length;
      if (left < 0) {
        head += bytes.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) return;
        if (head.startsWith('GET /events ')) {
          head = '';
          sendEvents(socket);
          return;
        }
        left = Number(/content-length: (\d+)/i.exec(head)[1]);
        body = head.length - end - 4;
        head = '';
      }
      left -= body;
      if (left > 0) return;
      left = -1;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  },
);
/** An event every few milliseconds, each with the time it left by the clock all processes of a machine share. */
function sendEvents(socket) {
  socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
  const timer = setInterval(() => {
    const event = `data: ${process.hrtime.bigint()}\n\n`;
    socket.write(`${event.length.toString(16)}\r\n${event}\r\n`);
  }, 5);
  socket.on('close', () => clearInterval(timer));
}

server.listen(Number(port), '127.0.0.1');

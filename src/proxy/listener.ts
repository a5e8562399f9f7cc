import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { parseAddress } from '../model/host.ts';
import { serveConnection } from './connection.ts';
import type { Connections } from './connections.ts';
import type { Services } from './services.ts';

/** Takes agent connections on a plain TCP port. */
export async function listen(
  address: { host: string; port: number },
  connections: Connections,
  services: Services,
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) =>
    accept(socket, connections, services),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => services.log.error({ err: error }, 'the proxy listener failed'));
  return server;
}

/** The port a server listens on. */
export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function accept(socket: Socket, connections: Connections, services: Services): void {
  const source = parseAddress(socket.remoteAddress ?? '')?.text;
  if (source === undefined) {
    socket.destroy();
    return;
  }
  serveConnection(socket, source, connections, services).catch((error: unknown) => {
    services.log.error({ err: error }, 'a connection failed');
    socket.destroy();
  });
}

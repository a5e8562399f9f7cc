import { createServer, type AddressInfo, type Socket } from 'node:net';
import { openTunnel } from './client.ts';
import type { TestGate } from './gate.ts';

export interface Forwarder {
  readonly port: number;
  /** Says where its tunnels lead, before anyone connects. */
  leadTo(gate: TestGate, authority: string): void;
  close(): Promise<void>;
}

/** A port behind which every connection is a tunnel through a gate: for real clients that know no proxies. */
export async function startForwarder(): Promise<Forwarder> {
  const open = new Set<Socket>();
  let way: { gate: TestGate; authority: string } | null = null;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
    if (way === null) throw new Error('a connection before leadTo()');
    void openTunnel(way.gate, way.authority).then((tunnel) => {
      open.add(tunnel.socket);
      tunnel.socket.removeAllListeners('data');
      tunnel.socket.on('close', () => socket.destroy());
      socket.on('close', () => tunnel.socket.destroy());
      tunnel.socket.pipe(socket);
      socket.pipe(tunnel.socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (gate, authority) => void (way = { gate, authority }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

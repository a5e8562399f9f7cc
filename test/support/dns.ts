import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

export interface Zone {
  a?: readonly string[];
  aaaa?: readonly string[];
  cname?: string;
  ttl?: number;
  /** Response code in place of an answer: 3 NXDOMAIN, 2 SERVFAIL; `silent` answers nothing. */
  failure?: number | 'silent';
}

export interface TestDns {
  readonly address: string;
  readonly zones: Map<string, Zone>;
  /** Names that were asked for, in order. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** A DNS server on a free UDP port that answers A and AAAA from a table (RFC 1035 §4). Real packets; only the zone data is made up. */
export async function startDns(zones: Record<string, Zone> = {}): Promise<TestDns> {
  const table = new Map(Object.entries(zones));
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, peer) => {
    const { name, type, end } = question(query);
    asked.push(name);
    const zone = table.get(name);
    if (zone?.failure === 'silent') return;
    socket.send(answer(query, end, type, name, zone), peer.port, peer.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(socket.address() as AddressInfo).port}`,
    zones: table,
    asked,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function question(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answer(query: Buffer, end: number, type: number, _name: string, zone: Zone | undefined): Buffer {
  const code = zone === undefined ? 3 : typeof zone.failure === 'number' ? zone.failure : 0;
  const records: Buffer[] = [];
  if (code === 0 && zone !== undefined) {
    let owner = Buffer.from([0xc0, 0x0c]);
    if (zone.cname !== undefined) {
      const target = encode(zone.cname);
      records.push(record(owner, 5, zone.ttl ?? 60, target));
      owner = Buffer.from(target);
    }
    if (type === 1)
      for (const ip of zone.a ?? [])
        records.push(record(owner, 1, zone.ttl ?? 60, Buffer.from(ip.split('.').map(Number))));
    if (type === 28) for (const ip of zone.aaaa ?? []) records.push(record(owner, 28, zone.ttl ?? 60, ipv6(ip)));
  }
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, query.subarray(12, end), ...records]);
}

function record(owner: Buffer, type: number, ttl: number, data: Buffer): Buffer {
  const middle = Buffer.alloc(10);
  middle.writeUInt16BE(type, 0);
  middle.writeUInt16BE(1, 2);
  middle.writeUInt32BE(ttl, 4);
  middle.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, middle, data]);
}

function encode(name: string): Buffer {
  return Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}

function ipv6(text: string): Buffer {
  const [head = '', tail = ''] = text.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const before = groups(head);
  const after = groups(tail);
  return Buffer.from(
    [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after].flatMap((group) => [
      group >> 8,
      group & 255,
    ]),
  );
}

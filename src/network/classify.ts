import { BlockList, isIPv4 } from 'node:net';
import type { Cidr } from '../model/cidr.ts';

/** Address ranges, for membership only. */
export type AddressSet = BlockList;

/** IANA special-purpose ranges (RFC 6890 and its registry): not the public internet. */
const FORBIDDEN_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
const FORBIDDEN_V6 = [
  '::/128',
  '::1/128',
  'fe80::/10',
  'fec0::/10',
  'fc00::/7',
  'ff00::/8',
  '100::/64',
  '2001:db8::/32',
  '3fff::/20',
  '5f00::/16',
];
/** Translation and tunnel ranges: whatever address they embed, another router decides where the packet goes. */
const TRANSLATED_V6 = ['64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/32'];

/** Cloud metadata services: credentials for the whole machine, for whoever asks. No rule opens them. */
const METADATA = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '168.63.129.16',
  '100.100.100.200',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
];
/** Names of metadata services, refused before any look-up. */
export const METADATA_NAMES: ReadonlySet<string> = new Set([
  'metadata.google.internal',
  'metadata.goog',
  'instance-data.ec2.internal',
]);

const forbidden = addressSet([...FORBIDDEN_V4, ...FORBIDDEN_V6]);
const translated = addressSet(TRANSLATED_V6);
const metadata = addressSet(METADATA);
const compatible = addressSet(['::/96']);

/** What an address is to the gate: reachable, reachable by a rule that names its network, or never. */
export type AddressClass = 'public' | 'private' | 'never';

/**
 * Classifies a canonical address. IPv4-mapped addresses never come here (hosts fold them); IPv4-compatible ones are judged
 * as the address they hold.
 */
export function classify(address: string): AddressClass {
  if (isIPv4(address)) return classifyAs(address, 'ipv4');
  const embedded = embeddedIPv4(address);
  if (embedded !== null) return classifyAs(embedded, 'ipv4');
  if (translated.check(address, 'ipv6')) return 'never';
  // What holds an IPv4 address in a spelling we do not read is not public, whatever it is.
  if (compatible.check(address, 'ipv6')) return 'private';
  return classifyAs(address, 'ipv6');
}

/** A set from ranges as rules write them. */
export function addressSetOf(ranges: readonly Cidr[]): AddressSet {
  const set = new BlockList();
  for (const { address, prefix, family } of ranges) set.addSubnet(address, prefix, family);
  return set;
}

export function contains(set: AddressSet, address: string): boolean {
  return set.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

function classifyAs(address: string, family: 'ipv4' | 'ipv6'): AddressClass {
  if (metadata.check(address, family)) return 'never';
  return forbidden.check(address, family) ? 'private' : 'public';
}

/** `::a.b.c.d` and `::ffff:a.b.c.d` as the IPv4 address they hold; `::` and `::1` are their own. */
function embeddedIPv4(address: string): string | null {
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address);
  const plain =
    compatible.check(address, 'ipv6') && address !== '::' && address !== '::1'
      ? /^::(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})$/.exec(address)
      : null;
  const match = mapped ?? plain;
  if (match === null) return null;
  const high = Number.parseInt(match[1] ?? '0', 16);
  const low = Number.parseInt(match[2] ?? '0', 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function addressSet(texts: readonly string[]): AddressSet {
  const set = new BlockList();
  for (const text of texts) {
    const family = text.includes(':') ? 'ipv6' : 'ipv4';
    const [address = '', prefix] = text.split('/');
    if (prefix === undefined) set.addAddress(address, family);
    else set.addSubnet(address, Number(prefix), family);
  }
  return set;
}

import { isIPv4, isIPv6 } from 'node:net';

/** An address range as written in rules: `10.0.0.0/8`, `fd00::/8`, or one address. */
export interface Cidr {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Parses a range; null when it is malformed. Host bits behind the prefix are allowed and ignored. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) && !address.includes('%') ? 'ipv6' : null;
  if (family === null) return null;
  const bits = family === 'ipv4' ? 32 : 128;
  if (slash === -1) return { address, prefix: bits, family };
  const prefix = text.slice(slash + 1);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(prefix) || Number(prefix) > bits) return null;
  return { address, prefix: Number(prefix), family };
}

import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import type { Cidr } from '../model/cidr.ts';
import { Denial } from '../model/denial.ts';
import type { Session } from '../model/session.ts';
import type { FailureThrottle } from './throttle.ts';

/** What is known of agents' identities: a part of the snapshot, made when rules are loaded. */
export interface Identities {
  /** Hashes by agent. */
  readonly hashes: ReadonlyMap<string, readonly Buffer[]>;
  readonly networks: ReadonlyArray<{ readonly agent: string; readonly list: BlockList }>;
  /** Agents by what their client certificate names. */
  readonly certificates: ReadonlyMap<string, string>;
}

/** Who calls, as far as the connection shows it. */
export interface Caller {
  /** Canonical source address; `unix` for a Unix socket. */
  readonly source: string;
  /** Names that a verified client certificate proves. */
  readonly certificate: readonly string[];
  /** Values of every `Proxy-Authorization` field. */
  readonly credentials: readonly string[];
}

interface Declared {
  readonly name: string;
  readonly tokenHashes: readonly string[];
  readonly sourceNetworks: readonly Cidr[];
  readonly certificate: string | null;
}

const CHALLENGE = ['Proxy-Authenticate', 'Basic realm="sallyport", charset="UTF-8"'] as const;
/** Compared against when the agent does not exist, so that an unknown name costs what a wrong token costs. */
const NOBODY: readonly Buffer[] = [Buffer.alloc(32)];

/** Compiles the identities that agents declare; one that is declared twice may be proved either way. */
export function makeIdentities(agents: Iterable<Declared>): Identities {
  const hashes = new Map<string, readonly Buffer[]>();
  const networks: Array<{ agent: string; list: BlockList }> = [];
  const certificates = new Map<string, string>();
  for (const agent of agents) {
    if (agent.tokenHashes.length > 0)
      hashes.set(agent.name, [
        ...(hashes.get(agent.name) ?? []),
        ...agent.tokenHashes.map((hash) => Buffer.from(hash, 'hex')),
      ]);
    if (agent.certificate !== null) certificates.set(agent.certificate, agent.name);
    if (agent.sourceNetworks.length === 0) continue;
    const list = new BlockList();
    for (const { address, prefix, family } of agent.sourceNetworks) list.addSubnet(address, prefix, family);
    networks.push({ agent: agent.name, list });
  }
  return { hashes, networks, certificates };
}

/**
 * Says which agent calls, or throws `agent-unknown`. A token that is presented must be right, whatever the source address
 * would prove: a wrong one is a mistake or an attack. Unknown agents and wrong tokens look the same.
 */
export function identify(
  caller: Caller,
  identities: Identities,
  throttle: FailureThrottle,
  readSession: (token: string) => Session | null = () => null,
): Identified {
  if (caller.credentials.length > 1) throw unknown('more than one Proxy-Authorization field');
  const field = caller.credentials[0];
  if (field !== undefined) return byToken(field, caller.source, { identities, readSession }, throttle);
  const agent =
    caller.certificate.length > 0 ? byCertificate(caller.certificate, identities) : bySource(caller.source, identities);
  return { agent, session: null };
}

/** Who was proved to call. */
export interface Identified {
  readonly agent: string;
  /** The session whose token was shown; null where it was the agent's own proof. */
  readonly session: Session | null;
}

/** What a token may be known by. */
interface Tokens {
  readonly identities: Identities;
  readonly readSession: (token: string) => Session | null;
}

/** A certificate that is presented must name an agent, as a token must: another identity is not looked for behind it. */
function byCertificate(names: readonly string[], identities: Identities): string {
  for (const name of names) {
    const agent = identities.certificates.get(name);
    if (agent !== undefined) return agent;
  }
  throw unknown('the client certificate names no agent');
}

function bySource(source: string, identities: Identities): string {
  const version = isIP(source);
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const found = version === 0 ? undefined : identities.networks.find((each) => each.list.check(source, family));
  if (found === undefined) throw unknown('no credentials, and the source address is no agent');
  return found.agent;
}

function byToken(field: string, source: string, tokens: Tokens, throttle: FailureThrottle): Identified {
  const digest = createHash('sha256').update(field).digest('base64');
  throttle.check(source, digest);
  const presented = parseBasic(field);
  const found = presented === null ? null : matchToken(presented, tokens);
  if (found === null) {
    throttle.failed(source);
    throw unknown('the agent or its token is wrong');
  }
  throttle.succeeded(source, digest);
  return found;
}

function matchToken(presented: { agent: string; token: string }, tokens: Tokens): Identified | null {
  const { identities, readSession } = tokens;
  const session = readSession(presented.token);
  if (session !== null) return session.agent === presented.agent ? { agent: session.agent, session } : null;
  const hash = createHash('sha256').update(presented.token, 'utf8').digest();
  const known = identities.hashes.get(presented.agent);
  let matches = false;
  for (const each of known ?? NOBODY) matches = timingSafeEqual(each, hash) || matches;
  return matches && known !== undefined ? { agent: presented.agent, session: null } : null;
}

/** RFC 7617: `Basic base64(agent:token)`. */
function parseBasic(field: string): { agent: string; token: string } | null {
  const match = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(field);
  if (match === null) return null;
  const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? null : { agent: text.slice(0, colon), token: text.slice(colon + 1) };
}

function unknown(detail: string): Denial {
  return new Denial('agent-unknown', detail, { headers: CHALLENGE });
}

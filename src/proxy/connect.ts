import { Denial } from '../model/denial.ts';
import type { GuardedAddress } from '../network/guard.ts';
import { Http1Upstream } from './adapters/http1-upstream.ts';
import { Http2Upstream } from './adapters/http2-upstream.ts';
import { NO_PROTOCOL_IN_COMMON, dial, type Dialled } from './dial.ts';
import type { Exchange } from './exchange.ts';
import type { Protocol, UpstreamExchange } from './message.ts';
import { forwardingBy } from './parent.ts';
import type { UpstreamRequest } from './prepare.ts';
import type { Witness } from './record.ts';
import type { Services } from './services.ts';

/**
 * A way to the upstream for one exchange: a connection that stands, or a new one. An upstream is spoken to as its agent
 * speaks where it can be, so that nothing is lost between the protocols; one that has only the other protocol gets that.
 */
export function wayTo(
  address: GuardedAddress,
  request: UpstreamRequest,
  witness: Witness,
  exchange: Exchange,
  services: Services,
): UpstreamExchange | Promise<UpstreamExchange> {
  const { pool, http2 } = services;
  const agent = exchange.agent ?? '';
  const { key } = address.target;
  // Forwarding parents have no way to say that a connection becomes something else: a WebSocket gets its own tunnel.
  if (request.websocketKey !== null && canForward(address))
    return connect(address, request, witness, exchange, services);
  const kept =
    request.protocol === 'h2'
      ? (http2.take(agent, address) ?? pool.take(agent, key, address.addresses))
      : (pool.take(agent, key, address.addresses) ?? (http2.speaksOnlyHttp2(key) ? http2.take(agent, address) : null));
  return kept ?? connect(address, request, witness, exchange, services);
}

async function connect(
  address: GuardedAddress,
  request: UpstreamRequest,
  witness: Witness,
  exchange: Exchange,
  services: Services,
): Promise<UpstreamExchange> {
  const { pool, http2 } = services;
  const agent = exchange.agent ?? '';
  const { key, authority } = address.target;
  const mayShare = request.protocol === 'h2' || http2.speaksOnlyHttp2(key);
  if (mayShare) {
    // Streams that begin together share a connection: the first one dials, the others wait to see what it finds.
    const shared = await http2.whenDialled(agent, address);
    if (shared !== null) return shared;
  }
  const forwarding = request.websocketKey === null && canForward(address) ? forwardingBy(address) : null;
  const dialling = negotiate(address, request.protocol, forwarding !== null, witness, exchange, services).then(
    (dialled) => {
      if (dialled.protocol === 'http/1.1') return dialled;
      const session = new Http2Upstream(dialled.socket, authority, dialled.address);
      http2.keep(agent, key, session);
      return session;
    },
  );
  if (mayShare) http2.announce(agent, key, dialling);
  const made = await dialling;
  if (made instanceof Http2Upstream) return made.open();
  return new Http1Upstream(made.socket, { agent, target: key, address: made.address, forwarding }, pool);
}

/** A parent that speaks HTTP takes plain requests as they are (RFC 9112 §3.2.2), and many allow CONNECT to port 443 alone. */
function canForward({ target, parent }: GuardedAddress): boolean {
  return parent !== null && parent.protocol !== 'socks5' && target.scheme === 'http';
}

const HTTP1 = ['http/1.1'];
const HTTP2 = ['h2'];
const BOTH = ['h2', 'http/1.1'];

/** Dials and agrees on a protocol; upstreams that have only HTTP/2 are remembered. */
async function negotiate(
  address: GuardedAddress,
  protocol: Protocol,
  forwarded: boolean,
  witness: Witness,
  exchange: Exchange,
  services: Services,
): Promise<Dialled> {
  const { http2 } = services;
  const { key } = address.target;
  const options = {
    timeout: services.timeouts.connect,
    trust: services.upstreamTrust,
    sessions: services.upstreamSessions,
    cancellation: exchange.cancellation,
    secure: true,
    forwarded,
  };
  const first = protocol === 'h2' ? BOTH : http2.speaksOnlyHttp2(key) ? HTTP2 : HTTP1;
  try {
    return await dial(address, witness, { ...options, protocols: first });
  } catch (error) {
    if (first !== HTTP1 || !(error instanceof Denial) || error.cause !== NO_PROTOCOL_IN_COMMON) throw error;
    http2.rememberOnlyHttp2(key);
    return dial(address, witness, { ...options, protocols: HTTP2 });
  }
}

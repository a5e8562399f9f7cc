import { BlockList } from 'node:net';
import type { Config } from '../config/config.ts';
import type { Gate } from '../main.ts';
import type { AgentPolicy } from '../policy/policy.ts';
import { shortPath } from './places.ts';

/** What a newcomer needs: where the gate is, what to trust, a line to paste, one request that passes and one that does not. */
export function welcome(gate: Gate, config: Config, bundle: string): string {
  const agent = localAgent(gate);
  const lines = [
    '',
    `  Sallyport serves on ${gate.proxy}  (admin http://${gate.admin}/metrics)`,
    `  CA certificate  ${shortPath(gate.caFile)}${gate.caCreated ? '  (made just now)' : ''}`,
    `  rules           ${shortPath(config.rules)}  (changes are taken up as you save)`,
    '',
  ];
  if (agent === null) {
    lines.push(
      '  No agent is known by the address 127.0.0.1: agents present a token.',
      '  sallyport agent token NAME makes one.',
      '',
    );
    return `${lines.join('\n')}\n`;
  }
  const proxy = `http://${gate.proxy}`;
  const example = exampleUrl(agent);
  lines.push(
    `  In another terminal, as agent "${agent.name}":`,
    '',
    `    export HTTPS_PROXY=${proxy} HTTP_PROXY=${proxy} http_proxy=${proxy} CURL_CA_BUNDLE=${bundle} SSL_CERT_FILE=${bundle} NODE_EXTRA_CA_CERTS=${gate.caFile} NODE_USE_ENV_PROXY=1`,
    '',
    ...(example === null ? [] : [`    curl ${example}          # allowed`]),
    '    curl https://example.org/          # refused, and why',
    '',
  );
  return `${lines.join('\n')}\n`;
}

/** The agent that a process on this machine is without any token, if there is one. */
function localAgent(gate: Gate): AgentPolicy | null {
  for (const agent of gate.snapshot().policy.agents.values()) {
    const list = new BlockList();
    for (const { address, prefix, family } of agent.sourceNetworks) list.addSubnet(address, prefix, family);
    if (list.check('127.0.0.1', 'ipv4')) return agent;
  }
  return null;
}

/** A URL that one of the agent's rules allows as it stands, found in the rules themselves. */
function exampleUrl(agent: AgentPolicy): string | null {
  for (const index of agent.allow) {
    for (const { entries } of index.groups()) {
      for (const { rule, path } of entries) {
        const { endpoint } = rule;
        const readable =
          endpoint.scheme === 'https' &&
          endpoint.host.kind === 'exact' &&
          endpoint.query === null &&
          endpoint.headers === null;
        const plain = path.text === '/**' ? '/' : path.text;
        if (readable && endpoint.methods?.has('GET') !== false && !plain.includes('*')) {
          return `https://${endpoint.host.host}${endpoint.port === 443 ? '' : `:${endpoint.port}`}${plain}`;
        }
      }
    }
  }
  return null;
}

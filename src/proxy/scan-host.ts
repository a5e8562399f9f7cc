import type { Facts } from '../model/facts.ts';
import type { Finding } from '../model/finding.ts';
import { hostFragment, hostLabels } from '../scan/fragments.ts';
import type { Inspection } from './inspection.ts';
import { NOTHING_TO_JOIN, scanPieces, type Piece } from './scan-pieces.ts';

const HOST = 'the host';
/** Characters of labels within an hour that look as if they were made of something else. */
const MOST_OF_LABELS = 512;
/** The same for paths and queries, which name things by numbers and hashes more often. */
const MOST_OF_PATHS = 16 * 1024;
/** A rule that grants any host of a domain. */
const ANY_HOST = /:\/\/\*/;

/**
 * Looks at the name of a host before it is resolved: whoever owns the domain is told every label that is asked for. Throws
 * the denial where something is found in it, or in it and those asked for before.
 */
export function scanHost(inspection: Inspection): void {
  const { host } = inspection;
  const labels = hostLabels(host);
  // What is a domain and nothing else says no more than the rule that grants it.
  if (labels === '' || inspection.off) return;
  const bytes = Buffer.from(`${host}\n${labels}`, 'latin1');
  const name: Piece = {
    bytes,
    part: 'target',
    whereOf: () => HOST,
    join: NOTHING_TO_JOIN,
    joinedWhere: HOST,
    fragments: [hostFragment(labels)],
    known: () => undefined,
    remember: () => undefined,
  };
  // Names are short: they are scanned at once.
  const [redaction] = scanPieces([name], inspection) as readonly Finding[];
  if (redaction !== undefined) inspection.refuse(redaction, HOST);
  if (!grantsAnyHost(inspection)) return;
  const { channels } = inspection.memory;
  if (channels.note(domainOf(host), labels, MOST_OF_LABELS, performance.now()))
    inspection.report('encoded-labels', HOST);
}

/** Watches what stands in the path and query of a request to a host that a rule grants by its domain alone. */
export function watchTarget({ path, query }: Facts, inspection: Inspection): void {
  if (!grantsAnyHost(inspection)) return;
  const { channels } = inspection.memory;
  const values = (query ?? '').split('&').map((pair) => pair.slice(pair.indexOf('=') + 1));
  const parts = [...path.raw.split('/'), ...values];
  const channel = `${domainOf(inspection.host)} path`;
  for (const part of parts)
    if (channels.note(channel, part, MOST_OF_PATHS, performance.now()))
      inspection.report('encoded-paths', 'paths and queries');
}

function grantsAnyHost({ decision }: Inspection): boolean {
  return decision.kind !== 'allow' || ANY_HOST.test(decision.rule.text);
}

function domainOf(host: string): string {
  return host.split('.').slice(-2).join('.');
}

import type { Facts } from '../model/facts.ts';
import type { Finding } from '../model/finding.ts';
import type { Target } from '../model/target.ts';
import { hostFragment, hostLabels } from '../scan/fragments.ts';
import { Inspection, type Subject, type Terms } from './inspection.ts';
import { NOTHING_TO_JOIN, scanPieces, type Piece } from './scan-pieces.ts';
import type { Services } from './services.ts';

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
export function scanHost(terms: Terms, subject: Subject, services: Services): void {
  const { host } = terms.target;
  const labels = hostLabels(host.text);
  // What is a domain and nothing else says no more than the rule that grants it.
  if (labels === '') return;
  const inspection = new Inspection(terms, subject, services);
  if (inspection.off) return;
  const bytes = Buffer.from(`${host.text}\n${labels}`, 'latin1');
  const name: Piece = { bytes, part: 'target', whereOf: () => HOST, join: NOTHING_TO_JOIN, joinedWhere: HOST };
  // Names are short: they are scanned at once.
  const [redaction] = scanPieces([name], [hostFragment(labels)], inspection) as readonly Finding[];
  if (redaction !== undefined) inspection.refuse(redaction, HOST);
  watch(terms, domainOf(host.text), labels, HOST, MOST_OF_LABELS, inspection);
}

/** Watches what stands in the path and query of a request to a host that a rule grants by its domain alone. */
export function watchTarget(terms: Terms, { path, query }: Facts, inspection: Inspection): void {
  if (!grantsAnyHost(terms)) return;
  const values = (query ?? '').split('&').map((pair) => pair.slice(pair.indexOf('=') + 1));
  const parts = [...path.raw.split('/'), ...values];
  const domain = domainOf(terms.target.host.text);
  for (const part of parts) watch(terms, `${domain} path`, part, 'paths and queries', MOST_OF_PATHS, inspection);
}

function watch(
  terms: Terms,
  channel: string,
  value: string,
  where: string,
  most: number,
  inspection: Inspection,
): void {
  if (!grantsAnyHost(terms)) return;
  const { channels } = inspection.memory;
  if (channels.note(channel, value, most, performance.now()))
    inspection.report(`encoded-${where === HOST ? 'labels' : 'paths'}`, where);
}

function grantsAnyHost({ decision }: Terms): boolean {
  return decision.kind !== 'allow' || ANY_HOST.test(decision.rule.text);
}

function domainOf(host: Target['host']['text']): string {
  return host.split('.').slice(-2).join('.');
}

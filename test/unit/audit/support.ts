import { generateKeyPairSync } from 'node:crypto';
import type { OutcomeEvent } from '../../../src/model/audit-event.ts';
import { GENESIS, eventText, sealLine, sealOf } from '../../../src/audit/chain.ts';
import { Notary } from '../../../src/audit/notary.ts';
import { readVerifierKey, verifierKeyText, type Signer, type VerifierKey } from '../../../src/audit/signed-note.ts';

/** A key that signs, and the one that verifies. */
export function makeKey(name = 'gate'): { readonly signer: Signer; readonly verifier: VerifierKey } {
  const secret = generateKeyPairSync('ed25519').privateKey;
  const key = verifierKeyText(name, secret);
  return { signer: { name, secret, key }, verifier: readVerifierKey(key) as VerifierKey };
}

export interface Made {
  readonly name: string;
  readonly text: string;
  readonly last: string;
}

export interface MakeOptions {
  readonly name: string;
  readonly signer: Signer;
  readonly before?: Made | null;
  readonly endorsement?: string;
  /** Writes of events; `checkpoint` signs what stands before it. */
  readonly writes: ReadonlyArray<readonly string[] | 'checkpoint' | 'shutdown'>;
}

/** A segment as the gate writes it. */
export function makeSegment({ name, signer, before = null, endorsement, writes }: MakeOptions): Made {
  const continues = before?.last ?? GENESIS;
  const origin = `${signer.name}/${name}`;
  const notary = new Notary(origin, continues, signer);
  let text = '';
  let last = continues;
  const write = (events: readonly string[]): void => {
    const lines = events.map((event) => `${event}\n`).join('');
    last = sealOf(last, Buffer.from(lines));
    const whole = lines + sealLine(events.length, last);
    notary.push(Buffer.from(whole));
    text += whole;
  };
  const header = eventText({
    continues,
    ...(endorsement === undefined ? {} : { endorsement }),
    instance: 'i',
    key: signer.key,
    kind: 'segment',
    lane: 1,
    origin,
    previous: before?.name ?? null,
    time: '2026-01-01T00:00:00.000Z',
    torn: 0,
    version: '0',
  });
  write([header]);
  for (const each of writes) {
    if (typeof each !== 'string') write(each);
    else {
      const time = '2026-01-01T00:00:00.000Z';
      const note = notary.checkpoint(last, time);
      write([eventText({ kind: 'checkpoint', note, reason: each === 'shutdown' ? each : 'time', time })]);
    }
  }
  return { name, text, last };
}

/** An exchange that was allowed. */
export const OUTCOME: OutcomeEvent = {
  address: '192.0.2.7',
  agent: 'bot',
  bytes: { received: 10, sent: 5 },
  capability: 'api',
  decision: 'allow',
  exchange: 'x-1',
  host: 'api.test',
  inspected: true,
  kind: 'outcome',
  method: 'GET',
  microseconds: 1834,
  mode: 'enforce',
  outcome: 'delivered',
  path: '/a',
  policy: '28580bd68e4d0bb0',
  port: 443,
  protocol: 'http/1.1',
  query: [{ length: 4, name: 'state' }],
  rule: 'rules/a.yaml:3: GET https://api.test/** (api)',
  scheme: 'https',
  source: '10.0.0.1',
  status: 200,
  time: '2026-01-01T00:00:00.000Z',
};

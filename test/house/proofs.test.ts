import { describe, expect, it } from 'vitest';
import type { HeldBody } from '../../src/proxy/body.ts';
import { dial, type DialOptions } from '../../src/proxy/dial.ts';
import { enforce, type ConnectPermit, type Permit } from '../../src/proxy/permit.ts';
import type { UpstreamRequest } from '../../src/proxy/prepare.ts';
import type { Witness } from '../../src/proxy/record.ts';
import { hold } from '../../src/proxy/body.ts';
import { prepare } from '../../src/proxy/prepare.ts';
import { scanRequest } from '../../src/proxy/scan-request.ts';
import { send } from '../../src/proxy/upstream.ts';
import { relay } from '../../src/proxy/relay.ts';
import { guard, type GuardedAddress } from '../../src/network/guard.ts';
import type { Decision } from '../../src/model/decision.ts';
import type { Facts } from '../../src/model/facts.ts';
import type { AgentRequest } from '../../src/proxy/message.ts';
import { sourcesBelow } from './sources.ts';

/** Where each proof may be made, and nowhere else. */
const MINTS: Record<string, string> = {
  Judgement: 'src/decision-point/consult.ts',
  Permit: 'src/proxy/permit.ts',
  ConnectPermit: 'src/proxy/permit.ts',
  Reservation: 'src/proxy/reserve.ts',
  HeldBody: 'src/proxy/body.ts',
  ScannedBody: 'src/proxy/scan-request.ts',
  TranscribedBody: 'src/proxy/transcript.ts',
  UpstreamRequest: 'src/proxy/prepare.ts',
  Witness: 'src/proxy/record.ts',
  GuardedAddress: 'src/network/guard.ts',
  Host: 'src/model/host.ts',
};

describe('proofs', () => {
  for (const [proof, home] of Object.entries(MINTS)) {
    it(`${proof} is made in ${home} and nowhere else`, () => {
      const cast = new RegExp(`\\bas (?:unknown as )?${proof}\\b`);
      const places = sourcesBelow('src')
        .filter((file) => cast.test(file.text))
        .map((file) => file.path);
      expect(places).toEqual([home]);
    });
  }

  it('are demanded by the next step: skipping one does not compile', () => {
    // Never called: what counts is that each line below is a type error, which `npm run types` holds us to.
    const skips = (
      facts: Facts,
      request: AgentRequest,
      permit: Permit,
      body: HeldBody,
      address: GuardedAddress,
      prepared: UpstreamRequest,
      witness: Witness,
      connect: ConnectPermit,
      decision: Decision,
      rest: never,
    ): void => {
      // @ts-expect-error a decision is enforced only when everybody who has a say in it has been asked
      void enforce(decision, facts, null);
      // @ts-expect-error a body is held only under a permit, not under facts
      void hold(request, null, facts, rest, rest);
      // @ts-expect-error no body is asked for before there is room under every limit
      void hold(request, null, permit, rest, rest);
      // @ts-expect-error the permit to open a connection permits no request
      void hold(request, null, connect, rest, rest);
      // @ts-expect-error only an admitted target is resolved
      void guard(facts.target, rest, rest);
      // @ts-expect-error a request is written only with its body held
      void prepare(facts, request, request.body, permit, null, '');
      // @ts-expect-error what is looked at is written down first, where the rules ask for it
      void scanRequest(request, facts, body, permit, rest, rest);
      // @ts-expect-error nothing leaves that has not been looked at
      void prepare(facts, request, body, permit, null, '');
      // @ts-expect-error the agent's own request is never sent
      void send(request, address, witness, rest, rest, rest);
      // @ts-expect-error nothing is sent to an address that was not guarded
      void send(prepared, facts.target, witness, rest, rest, rest);
      // @ts-expect-error nothing is sent that is not on record
      void send(prepared, address, permit, rest, rest, rest);
      // @ts-expect-error nothing is dialled that is not on record
      void dial(address, body, {} as DialOptions);
      // @ts-expect-error an answer is relayed only once it is known whether it is to be read
      void relay(response, rest, rest, rest, rest);
      // @ts-expect-error an answer is relayed only under the permit
      void relay(rest, rest, rest, facts);
    };
    expect(skips).toBeTypeOf('function');
  });
});

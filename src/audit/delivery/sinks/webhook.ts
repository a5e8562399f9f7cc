import type { WebhookSink } from '../../../model/sink.ts';
import type { Digest } from '../coalesce.ts';
import type { Carrier, SentEvent } from '../event.ts';
import { pagerdutyEvent } from '../pagerduty.ts';
import { SIGNATURE_FIELD, signatureOf } from '../signature.ts';
import { slackMessage } from '../slack.ts';
import { teamsMessage } from '../teams.ts';
import { HttpPoster } from './http-post.ts';
import { readSecret, readSecretFile } from './secret-file.ts';

/** Events as they stand in the log, signed: `{"version":1,"events":[{"id":…,"event":{…}}]}`. */
export function openWebhook(sink: WebhookSink, clock: () => number): Carrier<SentEvent> {
  const post = signedPoster(sink, clock);
  return {
    send: async (events) => {
      const items = events.map(({ id, line }) => `{"id":${JSON.stringify(id)},"event":${line}}`);
      await post.send(`{"version":1,"events":[${items.join(',')}]}`);
      return 0;
    },
    close: () => post.close(),
  };
}

/** Messages for people, in the shape their tool reads. */
export function openMessages(sink: WebhookSink, clock: () => number): Carrier<Digest> {
  const post = signedPoster(sink, clock);
  const bodies = (digests: readonly Digest[]): ReadonlyArray<Readonly<Record<string, unknown>>> => {
    if (sink.shape === 'slack') return [slackMessage(digests)];
    if (sink.shape === 'teams') return [teamsMessage(digests)];
    const key = sink.routingKey === null ? '' : readSecret(sink.routingKey);
    return digests.map((digest) => pagerdutyEvent(digest, key));
  };
  return {
    send: async (digests) => {
      for (const body of bodies(digests)) await post.send(JSON.stringify(body));
      return 0;
    },
    close: () => post.close(),
  };
}

function signedPoster(sink: WebhookSink, clock: () => number): { send(body: string): Promise<unknown>; close(): void } {
  const poster = new HttpPoster(sink);
  const { secretFile } = sink;
  return {
    send: (body) => {
      if (secretFile === null) return poster.post(body);
      const signature = signatureOf(body, readSecretFile(secretFile), Math.floor(clock() / 1000));
      return poster.post(body, { [SIGNATURE_FIELD]: signature });
    },
    close: () => poster.close(),
  };
}

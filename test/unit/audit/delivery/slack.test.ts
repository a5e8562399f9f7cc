import { expect, it } from 'vitest';
import { Coalescer } from '../../../../src/audit/delivery/coalesce.ts';
import { slackMessage } from '../../../../src/audit/delivery/slack.ts';
import { denial, sent } from './support.ts';

const told = (...events: Parameters<typeof denial>): ReturnType<typeof slackMessage> =>
  slackMessage(
    new Coalescer(0).add(
      events.map((more) => sent(denial(more))),
      {},
      0,
    ),
  );

it('is a section for each digest, and a line for notifications', () => {
  const { text, blocks } = told({});
  expect(text).toBe('Bot was denied: host-not-allowed');
  expect(blocks).toEqual([
    {
      type: 'section',
      text: {
        type: 'mrkdwn',
        text: expect.stringContaining(':warning: *Bot was denied: host-not-allowed*\n') as string,
      },
    },
  ]);
});

it('makes nothing of what an agent wrote: no mention, no link, no style, no line of its own', () => {
  const message = JSON.stringify(
    told({ detail: '<!channel> <https://evil.test|click> *bold* & `code`\nFrom: the CISO' }),
  );
  expect(message).toContain(
    '&lt;!channel&gt; &lt;https://evil.test|click&gt; \u200b*bold\u200b* &amp; \u200b`code\u200b` From: the CISO',
  );
  expect(message).not.toContain('<!channel>');
});

it('keeps within what a section may hold', () => {
  const { blocks } = told({ detail: '&'.repeat(500), rule: '&'.repeat(500), path: `/${'&'.repeat(500)}` });
  expect((blocks as Array<{ text: { text: string } }>)[0]?.text.text.length).toBeLessThanOrEqual(3000);
});

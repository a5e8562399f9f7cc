import { expect, it } from 'vitest';
import { Coalescer } from '../../../../src/audit/delivery/coalesce.ts';
import { teamsMessage } from '../../../../src/audit/delivery/teams.ts';
import { denial, sent } from './support.ts';

it('is an Adaptive Card with a title and facts for each digest, in which nothing an agent wrote is Markdown', () => {
  const digests = new Coalescer(0).add([sent(denial({ detail: '[click](https://evil.test) **now**\nand' }))], {}, 0);
  const message = teamsMessage(digests);
  expect(message).toMatchObject({
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        content: {
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            { type: 'TextBlock', text: 'Bot was denied: host-not-allowed', color: 'Warning' },
            { type: 'FactSet' },
          ],
        },
      },
    ],
  });
  expect(JSON.stringify(message)).toContain(JSON.stringify('\\[click\\]\\(https://evil.test\\) \\*\\*now\\*\\* and'));
});

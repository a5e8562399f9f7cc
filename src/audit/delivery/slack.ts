import type { Digest } from './coalesce.ts';
import { digestText } from './digest-text.ts';

const MARKS = { info: ':information_source:', warning: ':warning:', error: ':no_entry:', critical: ':rotating_light:' };

/** A message for Slack's incoming webhooks (https://api.slack.com/messaging/webhooks): a section for each digest. */
export function slackMessage(digests: readonly Digest[]): Readonly<Record<string, unknown>> {
  const texts = digests.map((digest) => ({ ...digestText(digest), mark: MARKS[digest.cause.severity] }));
  return {
    text: texts.map(({ title }) => escaped(title)).join('\n'),
    blocks: texts.map(({ title, facts, mark }) => ({
      type: 'section',
      text: {
        type: 'mrkdwn',
        text: `${mark} *${escaped(title)}*\n${facts.map(factLine).join('\n')}`.slice(0, LONGEST),
      },
    })),
  };
}

/** Characters a section may have. */
const LONGEST = 3000;

function factLine([name, value]: readonly [string, string]): string {
  return `${name}: ${escaped(value)}`;
}

/**
 * What an agent chose must not become a mention, a link or a style. Slack's three escapes, and its marks of style broken up; a host
 * is not made a link of either.
 */
function escaped(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[*_~`]/g, (mark) => `\u200b${mark}`);
}

import type { Digest } from './coalesce.ts';
import { digestText } from './digest-text.ts';

const COLORS = { info: 'Default', warning: 'Warning', error: 'Attention', critical: 'Attention' } as const;

/** A message for a workflow of Microsoft Teams ("When a Teams webhook request is received"): an Adaptive Card 1.4. */
export function teamsMessage(digests: readonly Digest[]): Readonly<Record<string, unknown>> {
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          msteams: { width: 'Full' },
          body: digests.flatMap(sectionsOf),
        },
      },
    ],
  };
}

function sectionsOf(digest: Digest): readonly unknown[] {
  const { title, facts } = digestText(digest);
  const style = { weight: 'Bolder', color: COLORS[digest.cause.severity], wrap: true };
  return [
    { type: 'TextBlock', text: plain(title), ...style },
    { type: 'FactSet', facts: facts.map(([name, value]) => ({ title: name, value: plain(value) })) },
  ];
}

/** Cards read a part of Markdown: what an agent chose must not become a link, a picture or a style. */
function plain(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\`*_[\]()#!~]/g, '\\$&');
}

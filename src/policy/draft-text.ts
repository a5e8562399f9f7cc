import type { Draft } from './learn.ts';
import type { DraftRule, Star, Use } from './draft.ts';

/** Where a draft is written, the rest of what its reader wants to know. */
export interface DraftContext {
  /** Name of the capability, by agent. */
  readonly names: ReadonlyMap<string, string>;
  /** Requests that no rule was drafted for, by why. */
  readonly leftOut: ReadonlyMap<string, number>;
}

/** Values that are shown of those that a `*` stands for. */
const SHOWN = 3;
/** Longest value that is shown. */
const MAX_SHOWN = 40;

/** A rule file that allows what was drafted, with a comment for every rule. Passes `check --strict`. */
export function draftText(drafts: readonly Draft[], { names, leftOut }: DraftContext): string {
  const lines = [
    '# Drafted by `sallyport learn` from what agents did. Read every rule before it is in force: what was asked for is not',
    '# always what should be allowed.',
    ...[...leftOut]
      .sort(([, a], [, b]) => b - a)
      .map(([why, count]) => `# Left out, ${count} ${count === 1 ? 'request' : 'requests'}: ${why}`),
    'version: 1',
    'capabilities:',
  ];
  for (const { agent, rules, use } of drafts) {
    const name = names.get(agent) ?? agent;
    lines.push(
      `  # ${usesText(use)}. To grant it, add "${name}" to the capabilities of ${agent}.`,
      `  ${name}:`,
      `    description: What ${agent} did ${daysText(use)}`,
      '    endpoints:',
      ...rules.flatMap((rule) => [...commentsOf(rule), `      - ${endpointOf(rule)}`].map((line) => line.trimEnd())),
    );
  }
  return `${lines.join('\n')}\n`;
}

function commentsOf({ methods, use, stars }: DraftRule): string[] {
  const each = [...methods].map(([method, count]) => `${method} ${count}`).join(', ');
  const head = methods.size > 1 ? `${usesText(use)} (${each})` : usesText(use);
  return [head, ...stars.map(starText)].map((line) => `      # ${line}`);
}

function usesText({ count, first, last }: Use): string {
  const from = minute(first);
  const to = minute(last);
  const times = from === to ? from : `${from} to ${to}`;
  return `${count} ${count === 1 ? 'request' : 'requests'}, ${times}`;
}

function daysText({ first, last }: Use): string {
  const from = first.slice(0, 10);
  const to = last.slice(0, 10);
  return from === to ? `on ${from}` : `from ${from} to ${to}`;
}

/** To the minute, in UTC. */
function minute(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')}Z`;
}

function starText({ what, values }: Star): string {
  if (what === 'hidden') return '*: what stood here may be a secret, and is not shown';
  // What is neither a number nor a word of somebody's API could still be a secret.
  const shown = [...values].filter((value) => what !== 'identifiers' || /^[\d.:-]+$/.test(value)).slice(0, SHOWN);
  const cut = shown.map((value) => (value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value));
  const number = values.size >= 100 ? '100 or more' : String(values.size);
  if (cut.length === 0) return `*: ${number} ${what}`;
  return `*: ${number} ${what}, ${values.size > cut.length ? 'such as ' : ''}${cut.join(', ')}`;
}

/** In the short form where that says it all. */
function endpointOf({ scheme, host, port, segments, methods, websocket }: DraftRule): string {
  const verbs = [...methods.keys()].sort();
  const path = `/${segments.join('/')}`;
  if (!websocket) return scalar(`${verbs.join(',')} ${scheme}://${host}${port}${path}`);
  const members = [
    ...(scheme === 'https' ? [] : [`scheme: ${scheme}`]),
    `host: ${JSON.stringify(host.replaceAll(/[[\]]/g, ''))}`,
    ...(port === '' ? [] : [`port: ${port.slice(1)}`]),
    `methods: [${verbs.join(', ')}]`,
    `paths: [${JSON.stringify(path)}]`,
    'websocket: {}',
  ];
  return `{ ${members.join(', ')} }`;
}

/** Plain where YAML cannot take it for anything but text. */
function scalar(text: string): string {
  return /^[A-Z]+(?:,[A-Z]+)* [a-z]+:\/\/[A-Za-z0-9_./*@~%+=:-]*[A-Za-z0-9_/*]$/.test(text)
    ? text
    : JSON.stringify(text);
}

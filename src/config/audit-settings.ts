import type { Setting } from './setting.ts';
import { anyText, oneOf, parseCount, parseRecipient } from './values.ts';
import { parseDuration, parseSize } from '../model/units.ts';

/** Settings of the audit log. */
export const AUDIT_SETTINGS: readonly Setting[] = [
  {
    key: 'audit.durability',
    default: 'os',
    form: 'os or disk',
    describe:
      'When an event counts as recorded: once the operating system has it (it survives `kill -9`), or once the disk has it (it survives a power cut).',
    parse: oneOf('os', 'disk'),
  },
  {
    key: 'audit.checkpoint.events',
    default: '10000',
    form: 'a number from 1 on',
    describe: 'Events after which the audit log is signed.',
    parse: parseCount,
  },
  {
    key: 'audit.checkpoint.every',
    default: '5s',
    form: 'a duration such as 10s',
    describe: 'How long events wait at most to be signed.',
    parse: parseDuration,
  },
  {
    key: 'audit.rotate.size',
    default: '128 MiB',
    form: 'a size such as 1 MiB',
    describe: 'A segment of the audit log ends at the first checkpoint after this size.',
    parse: parseSize,
  },
  {
    key: 'audit.rotate.every',
    default: '1d',
    form: 'a duration such as 10s',
    describe: 'A segment of the audit log ends at the first checkpoint after this time.',
    parse: parseDuration,
  },
  {
    key: 'audit.retention',
    default: 'forever',
    form: 'a duration such as 365d, or forever',
    describe:
      'How long the audit log is kept. Older segments are verified and removed once a day; a signed tombstone stays.',
    parse: (text) => (text === 'forever' ? text : parseDuration(text)),
  },
  {
    key: 'audit.transcript.recipients',
    default: '',
    form: 'an age recipient: age1…',
    describe:
      'Who can read transcripts (`audit: transcript` in a capability): they are encrypted to these keys, and the gate has none of them. `sallyport audit identity` makes one.',
    many: true,
    parse: parseRecipient,
  },
  {
    key: 'audit.transcript.body',
    default: '256 KiB',
    form: 'a size such as 1 MiB',
    describe: 'How much of a body a transcript keeps, each way; how long it was stands beside it.',
    parse: parseSize,
  },
  {
    key: 'audit.sinks',
    default: '',
    form: 'a folder',
    describe: 'Folder of sinks, a file for each (`*.yaml`): where events of the audit log are sent; none by default.',
    path: true,
    parse: anyText,
  },
];

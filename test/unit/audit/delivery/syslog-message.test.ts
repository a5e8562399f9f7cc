import { expect, it } from 'vitest';
import { syslogFrame } from '../../../../src/audit/delivery/syslog-message.ts';
import { denial, sent } from './support.ts';

it('is a message of RFC 5424 behind its length in bytes', () => {
  const frame = syslogFrame(sent(denial()), 'déjà', { host: 'gate-1', process: 42 });
  const message = `<108>1 ${denial().time} gate-1 sallyport 42 outcome - déjà`;
  expect(frame).toBe(`${Buffer.byteLength(message)} ${message}`);
});

it.each([
  ['two words\u00e9', 'twowords'],
  ['', '-'],
])('says a host that is no name (%j) as %s', (host, said) => {
  expect(syslogFrame(sent(denial()), '', { host, process: 1 })).toContain(` ${said} sallyport `);
});

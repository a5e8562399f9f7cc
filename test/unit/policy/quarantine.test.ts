import { describe, expect, it } from 'vitest';
import { HASH, botPolicy, problemsOf } from '../../support/policy.ts';

const termsOf = (own: string, more = ''): unknown => botPolicy(own, more).agents.get('bot')?.quarantine;

describe('quarantine in rules', () => {
  it('is none where nobody asks for it', () => {
    expect(termsOf('')).toBeNull();
  });

  it('halts the agent for half an hour where nothing else is said', () => {
    expect(termsOf('    quarantine: { denials: 20/minute }\n')).toEqual({
      thresholds: [{ kind: 'denials', count: 20, window: 60_000, text: '20/minute' }],
      duration: 1_800_000,
      does: 'halt-agent',
    });
  });

  it('takes from defaults what the agent leaves out, kind by kind', () => {
    const defaults =
      'defaults: { quarantine: { denials: 20/minute, unknown-hosts: 10/minute, for: 1h, do: kill-session } }\n';
    expect(termsOf('    quarantine: { denials: 5/minute, do: "observe->enforce" }\n', defaults)).toMatchObject({
      thresholds: [{ text: '5/minute' }, { kind: 'unknown-hosts', text: '10/minute' }],
      duration: 3_600_000,
      does: 'observe→enforce',
    });
    expect(termsOf('    quarantine: off\n', defaults)).toBeNull();
    expect(termsOf('', defaults)).toMatchObject({ does: 'kill-session' });
  });

  it.each([
    ['{ denials: 20 }', /"20" is not a number of denials\n {2}hint: write a rate such as 20\/minute/],
    ['{ findings: often }', /hint: write a number such as 1, or a rate/],
    ['{ denials: 20/minute, for: soon }', /"soon" is not how long a quarantine lasts\n {2}hint: write a duration/],
    ['{ for: 1h }', /nothing is watched for this quarantine\n {2}hint: write one of denials, findings, unknown-hosts/],
    ['{ denial: 20/minute }', /unknown key "denial"[^]*did you mean "denials"/],
    ['{ denials: 20/minute, do: reboot }', /kill-session/],
  ])('that is wrong is shown with its place: %s', (text, message) => {
    const file = `version: 1\nagents:\n  bot:\n    identity: { token: "sha256:${HASH}" }\n    quarantine: ${text}\n`;
    const problems = problemsOf(file)
      .join('\n')
      .replaceAll(/\n.*\|.*/g, '');
    expect(problems).toMatch(/^a\.yaml:5:\d+: error/);
    expect(problems).toMatch(message);
  });
});

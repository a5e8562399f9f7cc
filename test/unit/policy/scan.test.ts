import { describe, expect, it } from 'vitest';
import { ScanProfile } from '../../../src/model/scan-profile.ts';
import { decide } from '../../../src/policy/decide.ts';
import { HASH, botPolicy, problemsOf, request } from '../../support/policy.ts';

const CAPABILITY = `capabilities:
  paste:
    endpoints: ["POST https://paste.test/**"]
    scan: { personal-data: deny, detectors: { us-ein: off } }
`;

describe('scan in rules', () => {
  it('comes with the decision from the capability, and from the agent and defaults with the policy', () => {
    const policy = botPolicy(
      '    capabilities: [paste]\n    scan: { secrets: alert }\n',
      `${CAPABILITY}defaults: { scan: { exfiltration: deny } }\n`,
    );
    const decision = decide(request('POST', 'https://paste.test/x'), policy);
    const own = decision.kind === 'allow' ? decision.obligations.scan : null;
    const profile = new ScanProfile([own, ...(policy.agents.get('bot')?.scan ?? [])]);
    expect(profile.action('us-ein', 'personal-data')).toBe('off');
    expect(profile.action('us-ssn', 'personal-data')).toBe('deny');
    expect(profile.action('x', 'secrets')).toBe('alert');
    expect(profile.action('x', 'exfiltration')).toBe('deny');
    expect(profile.action('x', 'documents')).toBe('deny');
  });

  it.each([
    ['{ secret: deny }', /unknown key "secret"[^]*did you mean "secrets"/],
    ['{ secrets: block }', /deny/],
    [
      '{ secrets: annotate }',
      /secrets cannot be annotated[^]*hint: write deny, redact, alert or off: annotate is for what comes back/,
    ],
    ['{ exfiltration: redact }', /exfiltration cannot be redacted/],
    [
      '{ injected-instructions: redact }',
      /injected-instructions cannot be redacted[^]*hint: write deny, annotate, alert or off/,
    ],
    ['{ documents: redact }', /documents cannot be redacted/],
    ['sometimes', /scan/],
  ])('that is wrong is shown with its place: %s', (text, message) => {
    const file = `version: 1\nagents:\n  bot:\n    identity: { token: "sha256:${HASH}" }\n    scan: ${text}\n`;
    expect(problemsOf(file).join('\n')).toMatch(message);
    expect(problemsOf(file).join('\n')).toMatch(/:5:\d+: error/);
  });

  it('makes two rules of the same rank disagree', () => {
    const rules = `version: 1
agents:
  bot:
    identity: { token: "sha256:${HASH}" }
    capabilities: [a, b]
capabilities:
  a: { endpoints: ["GET https://x.test/**"], scan: { secrets: alert } }
  b: { endpoints: ["GET https://x.test/**"] }
`;
    expect(problemsOf(rules).join('\n')).toMatch(/error/);
  });
});

import { expect, it } from 'vitest';
import { ocsfOf, urlText } from '../../../src/audit/ocsf.ts';
import type { OutcomeEvent } from '../../../src/model/audit-event.ts';
import { OUTCOME } from './support.ts';

it('tells an exchange as HTTP Activity of OCSF', () => {
  expect(ocsfOf(OUTCOME, '1.2.3')).toMatchObject({
    activity_id: 3,
    class_uid: 4002,
    type_uid: 400203,
    severity_id: 1,
    time: Date.parse(OUTCOME.time),
    action_id: 1,
    disposition: 'Allowed',
    status: 'Success',
    metadata: { version: '1.3.0', uid: 'x-1', product: { version: '1.2.3' } },
    actor: { user: { name: 'bot' } },
    src_endpoint: { ip: '10.0.0.1' },
    dst_endpoint: { hostname: 'api.test', port: 443, ip: '192.0.2.7' },
    http_request: { http_method: 'GET', url: { url_string: 'https://api.test/a?state=' } },
    http_response: { code: 200, latency: 2 },
    traffic: { bytes_in: 10, bytes_out: 5 },
    firewall_rule: { name: 'rules/a.yaml:3: GET https://api.test/** (api)', category: 'api' },
  });
});

it.each<[string, Partial<OutcomeEvent>, object]>([
  [
    'a denial',
    { decision: 'deny', outcome: 'refused', reason: 'host-not-allowed', detail: 'no' },
    {
      action: 'Denied',
      disposition_id: 2,
      severity: 'Medium',
      status: 'Failure',
      status_code: 'host-not-allowed',
      status_detail: 'no',
    },
  ],
  [
    'a finding',
    { findings: [{ severity: 'critical' }, { severity: 'low' }] as never },
    { severity_id: 5, unmapped: { findings: [{}, {}] } },
  ],
  ['a method of its own', { method: 'PROPFIND' }, { activity_id: 99, type_uid: 400299 }],
  ['an agent nobody knows', { agent: null }, { actor: { user: { name: 'unknown' } } }],
])('says of %s what it is', (_what, more, expected) => {
  expect(ocsfOf({ ...OUTCOME, ...more }, '0')).toMatchObject(expected);
});

it('gives no address that was not dialled, and no field that is not known', () => {
  const { dst_endpoint: dialled, ...rest } = ocsfOf({ ...OUTCOME, address: 'pinned 127.0.0.1:80' }, '0');
  expect(dialled).toEqual({ hostname: 'api.test', port: 443 });
  expect(JSON.stringify(rest)).not.toContain('undefined');
  expect(rest).not.toHaveProperty('status_code');
});

it.each<[Partial<OutcomeEvent>, string]>([
  [{ port: 8443 }, 'https://api.test:8443/a?state='],
  [{ scheme: 'http', port: 80 }, 'http://api.test/a?state='],
  [{ host: '2001:db8::1' }, 'https://[2001:db8::1]/a?state='],
])('urlText() of %j is %s', (more, text) => {
  expect(urlText({ ...OUTCOME, ...more })).toBe(text);
});

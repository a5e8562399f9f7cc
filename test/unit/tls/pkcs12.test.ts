import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { importAuthority } from '../../../src/tls/authority.ts';
import { readPkcs12 } from '../../../src/tls/pkcs12.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-p12-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });

it('imports what a company hands out: a PKCS#12 file made by openssl', () => {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '30',
    '-subj',
    '/CN=Company CA',
    '-keyout',
    at('key.pem'),
    '-out',
    at('ca.pem'),
  );
  openssl(
    'pkcs12',
    '-export',
    '-in',
    at('ca.pem'),
    '-inkey',
    at('key.pem'),
    '-passout',
    'pass:open',
    '-out',
    at('ca.p12'),
  );
  const pair = readPkcs12(readFileSync(at('ca.p12')), 'open');
  expect(importAuthority(join(folder, 'certs'), pair.certificatePem, pair.keyPem, new Date()).certificate.subject).toBe(
    'CN=Company CA',
  );
  expect(() => readPkcs12(readFileSync(at('ca.p12')), 'wrong')).toThrow(/wrong password/);
  expect(() => readPkcs12(Buffer.from('hello'), '')).toThrow(/not a PKCS#12 file/);
}, 60_000);

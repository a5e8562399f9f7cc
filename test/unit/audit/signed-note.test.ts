import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  readNote,
  readVerifierKey,
  signNote,
  verifierKeyText,
  type VerifierKey,
} from '../../../src/audit/signed-note.ts';

const secret = generateKeyPairSync('ed25519').privateKey;
const text = verifierKeyText('gate', secret);
const key = readVerifierKey(text) as VerifierKey;
const note = signNote('hello\n', { name: 'gate', secret, key: text });

describe('a signed note', () => {
  it('is what Go reads and writes: the example of golang.org/x/mod/sumdb/note', () => {
    const peter = readVerifierKey('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
    const said =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const signature =
      '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
    expect(peter).not.toBeNull();
    expect(readNote(`${said}\n${signature}`, [peter as VerifierKey])).toBe(said);
  });

  it('gives its text to whoever knows a key that signed it', () => {
    expect(note).toMatch(/^hello\n\n\u2014 gate [A-Za-z0-9+/]+=*\n$/);
    expect(readNote(note, [key])).toBe('hello\n');
    // Signatures nobody knows are passed over.
    expect(readNote(note.replace('\n\n', '\n\n\u2014 other AAAA\n'), [key])).toBe('hello\n');
  });

  it.each([
    ['another text', note.replace('hello', 'hullo')],
    ['another signature', note.replace(/.{8}=/, 'AAAAAAA=')],
    ['no signature', 'hello\n'],
    ['another name', note.replace(' gate ', ' gote ')],
  ])('with %s gives nothing', (_what, changed) => {
    expect(readNote(changed, [key])).toBeNull();
  });

  it('gives nothing to whoever knows another key', () => {
    const other = readVerifierKey(verifierKeyText('gate', generateKeyPairSync('ed25519').privateKey)) as VerifierKey;
    expect(readNote(note, [other])).toBeNull();
    expect(readNote(note, [])).toBeNull();
  });
});

it.each(['', 'gate', 'gate+00000000+AAAA', text.replace('gate', 'gote'), text.slice(0, -4)])(
  'readVerifierKey() takes %j for no key',
  (wrong) => {
    expect(readVerifierKey(wrong)).toBeNull();
  },
);

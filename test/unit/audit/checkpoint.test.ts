import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { readCheckpoint, signCheckpoint } from '../../../src/audit/checkpoint.ts';
import { Tree } from '../../../src/audit/merkle.ts';
import { readVerifierKey, signNote, verifierKeyText, type VerifierKey } from '../../../src/audit/signed-note.ts';

const secret = generateKeyPairSync('ed25519').privateKey;
const signer = { name: 'gate', secret, key: verifierKeyText('gate', secret) };
const keys = [readVerifierKey(signer.key) as VerifierKey];
const checkpoint = {
  origin: 'gate/segment-1',
  size: 12,
  root: new Tree().root(),
  seal: 'ab'.repeat(32),
  time: '2026-01-01T00:00:00.000Z',
};

it('a checkpoint reads as it was signed, three lines and two of its own', () => {
  const note = signCheckpoint(checkpoint, signer);
  expect(note.split('\n').slice(0, 6)).toEqual([
    'gate/segment-1',
    '12',
    '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    `seal ${checkpoint.seal}`,
    'time 2026-01-01T00:00:00.000Z',
    '',
  ]);
  expect(readCheckpoint(note, keys)).toEqual(checkpoint);
});

it.each(['gate/segment-1\n', 'a\n-1\nAAAA\nseal 00\ntime now\n', 'a\n01\n\n'])('%j, signed, is none', (text) => {
  expect(readCheckpoint(signNote(text, signer), keys)).toBeNull();
});

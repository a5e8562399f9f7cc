import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Tree, inclusionProof, leafHash, rootFromProof, type TreeHash } from '../../../src/audit/merkle.ts';

const hex = (each: TreeHash): string => Buffer.from(each, 'latin1').toString('hex');
const leafOf = (bytes: Buffer): TreeHash => leafHash(Buffer.concat([Buffer.from('x'), bytes]), 1, bytes.length + 1);

/** Leaves and roots of the reference implementation of Certificate Transparency. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (each) => Buffer.from(each, 'hex'),
);
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** RFC 6962 §2.1, as it is written there. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return hash('sha256', '', 'buffer');
  if (leaves.length === 1) return hash('sha256', Buffer.concat([Buffer.of(0), leaves[0] as Buffer]), 'buffer');
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return hash(
    'sha256',
    Buffer.concat([Buffer.of(1), rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half))]),
    'buffer',
  );
}

describe('Tree', () => {
  it('has the roots of the reference implementation', () => {
    const tree = new Tree();
    const roots = [tree.root(), ...LEAVES.map((leaf) => (tree.append(leafOf(leaf)), tree.root()))];
    expect(roots.map(hex)).toEqual(ROOTS);
  });

  it('has the root that the RFC defines, at any size', () => {
    const tree = new Tree();
    const leaves: Buffer[] = [];
    for (let size = 0; size < 130; size++) {
      expect(hex(tree.root())).toBe(rootOf(leaves).toString('hex'));
      leaves.push(Buffer.from(`leaf ${size}`));
      tree.append(leafOf(leaves.at(-1) as Buffer));
    }
    expect(tree.size).toBe(130);
  });
});

describe('leafHash()', () => {
  it('leaves the bytes as they were, also at the beginning of a buffer', () => {
    const bytes = Buffer.from('xleaf');
    expect(leafHash(bytes, 1, 5)).toBe(leafHash(Buffer.from('leaf'), 0, 4));
    expect(bytes.toString()).toBe('xleaf');
  });
});

describe('an inclusion proof', () => {
  it('leads from every leaf of every tree to its root, and from no other', () => {
    for (let size = 1; size <= 40; size++) {
      const leaves = Array.from({ length: size }, (_, index) => leafOf(Buffer.from(String(index))));
      const tree = new Tree();
      for (const leaf of leaves) tree.append(leaf);
      for (const [index, leaf] of leaves.entries()) {
        const proof = inclusionProof(leaves, index);
        expect(rootFromProof(leaf, index, size, proof)).toBe(tree.root());
        expect(rootFromProof(leafOf(Buffer.from('other')), index, size, proof)).not.toBe(tree.root());
        if (size > 1) expect(rootFromProof(leaf, (index + 1) % size, size, proof)).not.toBe(tree.root());
        expect(rootFromProof(leaf, index, size, [...proof, leaf])).toBeNull();
        if (proof.length > 0) expect(rootFromProof(leaf, index, size, proof.slice(1))).not.toBe(tree.root());
        expect(rootFromProof(leaf, size, size, proof)).toBeNull();
      }
    }
  });
});

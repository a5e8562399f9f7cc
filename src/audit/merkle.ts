import { hash } from 'node:crypto';

/** A SHA-256, its 32 bytes as Latin-1: what the tree works with. Shorter-lived and quicker to make than a Buffer. */
export type TreeHash = string;

const HASH = 32;
const node = Buffer.allocUnsafeSlow(1 + 2 * HASH);
node[0] = 0x01;
const LEAF = 0x00;

/** Hash of a leaf (RFC 6962 §2.1): SHA-256(0x00 ‖ leaf). The byte before `from` is written over and put back. */
export function leafHash(bytes: Buffer, from: number, to: number): TreeHash {
  if (from === 0) return hash('sha256', Buffer.concat([Buffer.from([LEAF]), bytes.subarray(0, to)]), 'binary');
  const before = bytes[from - 1] as number;
  bytes[from - 1] = LEAF;
  const made = hash('sha256', bytes.subarray(from - 1, to), 'binary');
  bytes[from - 1] = before;
  return made;
}

/** Hash of a node (RFC 6962 §2.1): SHA-256(0x01 ‖ left ‖ right). */
function nodeHash(left: TreeHash, right: TreeHash): TreeHash {
  node.write(left, 1, 'latin1');
  node.write(right, 1 + HASH, 'latin1');
  return hash('sha256', node, 'binary');
}

/** Root of a tree without leaves (RFC 6962 §2.1). */
const EMPTY = hash('sha256', '', 'binary');

/** A Merkle tree that only grows (RFC 6962 §2.1), as the roots of its perfect subtrees: a number of hashes that is the logarithm of its size. */
export class Tree {
  /** Leaves it has. */
  size = 0;
  /** Roots of perfect subtrees, the largest first: one for each bit of the size. */
  readonly #roots: TreeHash[] = [];

  append(leaf: TreeHash): void {
    let root = leaf;
    for (let size = this.size; size % 2 === 1; size = Math.floor(size / 2))
      root = nodeHash(this.#roots.pop() as TreeHash, root);
    this.#roots.push(root);
    this.size++;
  }

  root(): TreeHash {
    if (this.size === 0) return EMPTY;
    return this.#roots.reduceRight((right, left) => nodeHash(left, right));
  }
}

/** Hashes that lead from a leaf to the root of the tree over all leaves (RFC 6962 §2.1.1), the nearest first. */
export function inclusionProof(leaves: readonly TreeHash[], index: number): TreeHash[] {
  const proof: TreeHash[] = [];
  let level = leaves;
  for (let at = index; level.length > 1; at = Math.floor(at / 2)) {
    const sibling = at ^ 1;
    if (sibling < level.length) proof.push(level[sibling] as TreeHash);
    level = levelAbove(level);
  }
  return proof;
}

/** What has no sibling goes up as it is. */
function levelAbove(level: readonly TreeHash[]): TreeHash[] {
  const above: TreeHash[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const [left, right] = [level[at] as TreeHash, level[at + 1]];
    above.push(right === undefined ? left : nodeHash(left, right));
  }
  return above;
}

/** Root that a proof leads to from a leaf (RFC 9162 §2.1.3.2); null where the proof has too many hashes, or too few. */
export function rootFromProof(
  leaf: TreeHash,
  index: number,
  size: number,
  proof: readonly TreeHash[],
): TreeHash | null {
  let root = leaf;
  let at = 0;
  let last = size - 1;
  for (let place = index; last > 0; place = Math.floor(place / 2), last = Math.floor(last / 2)) {
    const isLeft = place % 2 === 0;
    if (isLeft && place === last) continue;
    const sibling = proof[at++];
    if (sibling === undefined) return null;
    root = isLeft ? nodeHash(root, sibling) : nodeHash(sibling, root);
  }
  return at === proof.length && index < size ? root : null;
}

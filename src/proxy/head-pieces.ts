import { NO_FRAGMENTS, targetFragments, type Fragment } from '../scan/fragments.ts';
import { joinedTarget } from '../scan/joins.ts';
import { placeInFields, placeInTarget } from '../scan/where.ts';
import type { Piece } from './scan-pieces.ts';

/** Path and query of a request. Most are known, and need no bytes. */
export class TargetPiece implements Piece {
  readonly text: string;
  readonly part = 'target';
  readonly joinedWhere = 'parts of the path or query';
  #bytes: Buffer | null = null;
  #fragments: readonly Fragment[] | null = null;

  constructor(text: string) {
    this.text = text;
  }

  get bytes(): Buffer {
    return (this.#bytes ??= Buffer.from(this.text, 'latin1'));
  }

  get fragments(): readonly Fragment[] {
    return (this.#fragments ??= targetFragments(this.bytes));
  }

  whereOf(offset: number): string {
    return placeInTarget(this.text, offset);
  }

  join(bytes: Buffer): Buffer | null {
    return joinedTarget(bytes.toString('latin1'));
  }
}

/** Lines of header or trailer fields, each with a CRLF before it. */
export class FieldsPiece implements Piece {
  readonly text: string;
  readonly part = 'fields';
  readonly joinedWhere = '';
  readonly fragments = NO_FRAGMENTS;
  #bytes: Buffer | null = null;

  constructor(text: string) {
    this.text = text;
  }

  get bytes(): Buffer {
    return (this.#bytes ??= Buffer.from(this.text, 'latin1'));
  }

  whereOf(offset: number): string {
    return placeInFields(this.text, offset);
  }

  join(): null {
    return null;
  }
}
